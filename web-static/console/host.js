// The host: what runs on it this second and what waits, from the stats page; whether all CPU time is somebody's; and the meter.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { bytes, count, cpuTime } from '../lib/meters.js';
import { Badge, Card, Code, Empty, Facts, Loaded, Page, Stat, Stats, Table, Time } from '../lib/ui.js';

const DOMID_XEN = 0x7ff2, PAGE_BYTES = 4096, EVERY_S = 5;

// Shares of one CPU between two samples, in percent; null until there are two.
function rate(row, field, before, passed) {
    const was = before?.find((one) => one.slot === row.slot && one.domid === row.domid);
    return was && passed > 0n ? Number((BigInt(row[field]) - BigInt(was[field])) * 1000n / passed) / 10 : null;
}

let last = null;                    // the sample before: a screen that is opened again begins with what it knew

async function look(signal) {
    const [host, now, instances] = await Promise.all([get('/v1/admin/host', { signal }), get('/v1/admin/host/domains', { signal }), get('/v1/admin/domains', { signal })]);
    const passed = last ? BigInt(now.sampled_ns) - BigInt(last.sampled_ns) : 0n;
    const domains = now.domains.map((row) => ({ ...row, run: rate(row, 'guest_ns', last?.domains, passed), steal: rate(row, 'wait_ns', last?.domains, passed), hv: rate(row, 'hv_ns', last?.domains, passed) }));
    if (passed > 0n || !last)
        last = now;
    return { ...host, now, domains, promised: instances.data.reduce((sum, one) => sum + one.memory_mib, 0) };
}

const percent = (value) => (value === null ? html`<span class="muted">…</span>` : `${value.toFixed(1)} %`);
const nameOf = (row) => (row.domid === DOMID_XEN ? 'the hypervisor' : row.domid === 0 ? 'dom0' : row.instance_id ? html`<a href=${`/console/domains/${row.instance_id}`}>${row.instance_id}</a>` : 'not registered');

const COLUMNS = [
    { title: 'Domain', of: (row) => (row.domid === DOMID_XEN ? '' : row.domid), num: true }, { title: 'What', of: nameOf },
    { title: 'State', of: (row) => html`<${Badge} of=${row.paused ? 'paused' : row.state} tone=${row.paused ? 'busy' : row.state === 'live' ? 'good' : 'plain'} />`, hide: 'phone' },
    { title: 'Run', of: (row) => percent(row.run), num: true }, { title: 'Steal', of: (row) => percent(row.steal), num: true }, { title: 'In hv', of: (row) => percent(row.hv), num: true, hide: 'phone' },
    { title: 'CPU, ever', of: (row) => cpuTime(row.guest_ns), num: true, hide: 'phone' }, { title: 'Memory', of: (row) => bytes(row.pages * PAGE_BYTES), num: true, hide: 'phone' },
    { title: 'Newest record', of: (row) => (row.record_age_ms === undefined ? '' : `${Math.round(row.record_age_ms / 1000)} s ago`), num: true, hide: 'phone' },
];

// Guests, hypervisor and idle of each CPU: what the meter holds against the time that passed.
const CPUS = [
    { title: 'CPU', of: (row, i) => i }, { title: 'Guests', of: (row) => cpuTime(row.guest_ns), num: true }, { title: 'Hypervisor', of: (row) => cpuTime(row.hv_ns), num: true },
    { title: 'Idle', of: (row) => cpuTime(row.idle_ns), num: true },
];

export default function Host() {
    const load = useLoad(look, [], EVERY_S);
    return html`<${Page} title="Host" sub="From the stats page, which the hypervisor alone writes. Run and steal are shares of one CPU between the last two looks."><${Loaded} load=${load}>${({ host, meter, now, domains, promised }) => html`
        <${Stats}><${Stat} label="Meter lag" note="since the last sample">${meter.last_sample_age_ms} ms</${Stat}><${Stat} label="Clock skew" note="its time is right to">± ${now.clock_error_ms} ms</${Stat}>
            <${Stat} label="CPU time is conserved" note="guests + hv + idle = time"><${Badge} of=${meter.conservation_ok ? 'ok' : 'differs'} /></${Stat}>
            <${Stat} label="Promised" note="memory of all instances">${bytes(promised * 1048576)}</${Stat}><${Stat} label="Used" note=${`of ${bytes(host.pages_total * PAGE_BYTES)}`}>${bytes((host.pages_total - host.pages_free) * PAGE_BYTES)}</${Stat}></${Stats}>
        <${Card} title="Domains" flush><${Table} label="Domains" columns=${COLUMNS} rows=${domains} keyOf=${(row) => row.slot} empty=${html`<${Empty} title="No sample yet" />`} /></${Card}>
        <div class="columns two"><${Card} title="Where CPU time went" flush><${Table} label="CPUs" columns=${CPUS} rows=${meter.cpus ?? []} empty=${html`<${Empty} title="No sample yet" />`} /></${Card}>
            <${Card} title="The last signed head"><${Code} label="The checkpoint" text=${now.checkpoint || 'none yet'} /><${Facts} rows=${[['Leaves', count(meter.log_size)], ['Samples', `${count(meter.samples)}, ${count(meter.misses)} missed`], ['As of', html`<${Time} at=${now.as_of} />`]]} /></${Card}></div>`}</${Loaded}></${Page}>`;
}

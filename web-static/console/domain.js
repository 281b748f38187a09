// One instance as its host knows it: owner, raw counters, lives, records, and what an operator may force.

import { get, post } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Pager, pageOf } from '../lib/pager.js';
import { query, usePath } from '../lib/router.js';
import { Area, Badge, Card, Code, DialogButton, Empty, Facts, Form, Loaded, Page, Select, Table, Time, toast } from '../lib/ui.js';
import { For } from './roles.js';
import { Standing, Suspend } from './suspend.js';

const PAGE = 50;
const FORCES = [['shutdown', 'Shut down: ask the guest'], ['power_off', 'Power off'], ['reboot', 'Reboot']];

function Force({ id, close, reload }) {
    const [values, set] = useState({ type: 'shutdown', reason: '' }), form = useSubmit((body, options) => post(`/v1/admin/domains/${id}/actions`, body, options));
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }), error: form.error?.of?.(name) });
    return html`<${Form} form=${form} values=${values} tone="danger" button="Do it" cancel=${close} done=${() => { close(); toast('It is on its way'); reload(); }}>
        <${Select} label="What" options=${FORCES} ...${field('type')} /><${Area} label="Reason" ...${field('reason')} hint="For the audit log." /></${Form}>`;
}

// The object of a leaf, whose first line is its type.
const leafOf = ({ leaf }) => { try { return JSON.parse(leaf.slice(leaf.indexOf('\n') + 1)); } catch { return {}; } };

const RECORDS = [
    { title: '#', of: (row) => html`<a href=${`/console/records/${row.index}`}>${row.index}</a>`, num: true },
    { title: 'Kind', of: (row) => row.leaf.slice(0, row.leaf.indexOf('\n')).replace('xs-usage/v1 ', '') },
    { title: 'From, UTC', of: (row) => { const { t0_ms: at } = leafOf(row); return at ? html`<${Time} at=${new Date(at).toISOString()} />` : ''; }, hide: 'phone' },
    { title: 'Life', of: (row) => html`<code>${String(leafOf(row).incarnation ?? '').slice(0, 8)}</code>`, hide: 'phone' },
    { title: '', of: (row) => html`<${DialogButton} label="As signed" tone="small" title=${`Record ${row.index}`}>${() => html`<${Code} label="The record" text=${row.leaf} />`}</${DialogButton}>`, num: true },
];

const counters = (usage) => Object.entries(usage ?? {}).filter(([, value]) => /^\d+$/.test(String(value))).map(([name, value]) => [name, html`<span class="num">${Number(value).toLocaleString('en')}</span>`]);

async function look(id, after, signal) {
    const domain = await get(`/v1/admin/domains/${id}`, { signal });
    const [records, suspensions] = await Promise.all([get(`/v1/admin/domains/${id}/records?limit=${PAGE}${pageOf(after)}`, { signal }), get('/v1/admin/suspensions', { signal })]);
    const standing = suspensions.data.filter((one) => one.by === 'operator' && [id, domain.customer_id].includes(one.payer));
    return { domain, records: records.data, next: records.next_cursor, own: standing.find((one) => one.payer === id), standing: standing[0] };
}

export default function Domain({ params: { id } }) {
    usePath();
    const { after } = query(), load = useLoad((signal) => look(id, after, signal), [id, after], 15, /^instance/), { domain, own } = load.data ?? {};
    return html`<${Page} title=${domain?.name ?? 'Domain'} back=${['/console/domains', 'Domains']} sub=${domain && html`<${Badge} of=${domain.state} /> <code>${id}</code>`}
        actions=${domain && html`<${For} role="support" to="Forcing a guest"><${DialogButton} label="Force" title=${`Force ${domain.name}`}>${(close) => html`<${Force} id=${id} close=${close} reload=${load.reload} />`}</${DialogButton}>
            <${Suspend} path=${`domains/${id}`} name=${domain.name} standing=${own} reload=${load.reload} /></${For}>`}>
        <${Loaded} load=${load}>${({ records, next, standing }) => html`<${Standing} standing=${standing} /><div class="columns two">
            <${Card} title="Domain"><${Facts} rows=${[['Owner', html`<a href=${`/console/customers/${domain.customer_id}`}>${domain.customer_id}</a>`], ['Why', domain.state_reason || html`<span class="muted">nothing to say</span>`],
                ['Wanted', domain.desired_state], ['Domain id', domain.domid || 'none'], ['Flavor', `${domain.flavor}: ${domain.vcpus} vCPU, ${domain.memory_mib} MiB`], ['Image', domain.image], ['UUID', html`<code>${domain.domain_uuid}</code>`],
                ['This life', html`<code>${domain.incarnation}</code>`], ['Lives', domain.usage?.incarnations ?? 0], ['Made', html`<${Time} at=${domain.created_at} />`], ['Started', html`<${Time} at=${domain.started_at} />`]]} /></${Card}>
            <${Card} title="Raw counters">${domain.usage ? html`<${Facts} rows=${counters(domain.usage)} />` : html`<${Empty} title="It has never run" />`}</${Card}></div>
            <${Card} title="Records" flush><${Table} label="Records" columns=${RECORDS} rows=${records} keyOf=${(row) => row.index} empty=${html`<${Empty} title="None yet" />`} /></${Card}>
            <${Pager} after=${after} next=${next} />`}</${Loaded}></${Page}>`;
}

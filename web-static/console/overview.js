// The host at a glance: is it well, what runs on it, what is wrong.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { bytes, count } from '../lib/meters.js';
import { Away, Badge, Card, Empty, Facts, Gauge, Loaded, Money, Page, Stat, Stats } from '../lib/ui.js';
import { hourFacts } from './reconciliation.js';

const PAGE_BYTES = 4096;

function Capacity({ host }) {
    const used = host.pages_total - host.pages_free, guests = host.domains - 1;
    return html`<${Card} title="Capacity"><${Gauge} label="Memory" share=${used / host.pages_total} words=${`${bytes(used * PAGE_BYTES)} of ${bytes(host.pages_total * PAGE_BYTES)} used`} tone=${used > host.pages_total * 0.9 ? 'busy' : ''} />
        <${Gauge} label="Guests" share=${guests / host.guests_max} words=${`${guests} of ${host.guests_max}`} /><${Facts} rows=${[['CPUs', String(host.cpus)], ['Hypervisor', host.hv_version]]} /></${Card}>`;
}

const Meter = ({ meter }) => html`<${Card} title="Meter"><${Facts} rows=${[['Last sample', `${meter.last_sample_age_ms} ms ago`], ['Samples', `${count(meter.samples)}, ${count(meter.misses)} missed`],
    ['CPU time is conserved', html`<${Badge} of=${meter.conservation_ok ? 'ok' : 'differs'} />`], ['Leaves in the signed log', count(meter.log_size)], ['Log', html`<code>${meter.origin}</code>`]]} /></${Card}>`;

// The last hour that was closed: every second of every CPU is somebody's.
function LastHour({ books }) {
    if (!books)
        return html`<${Card} title="The last hour"><${Empty} title="No hour is closed yet"><p>The first comes within an hour of the start.</p></${Empty}></${Card}>`;
    return html`<${Card} title="The last hour" aside=${html`<a href="/console/reconciliation">Reconciliation</a>`}><${Facts} rows=${hourFacts(books)} /></${Card}>`;
}

function Cap({ cap }) {
    return html`<${Card} title="The cap"><${Facts} rows=${[
        ['Stops measured', String(cap.stops ?? 0)],
        ['From no money to no run, median', cap.p50_ms === null || cap.p50_ms === undefined ? 'none yet' : `${cap.p50_ms} ms`],
        ['99 of 100', cap.p99_ms === null || cap.p99_ms === undefined ? 'none yet' : `${cap.p99_ms} ms`],
        ['Most used past anybody\'s money', html`<${Money} amount=${cap.overshoot_max} currency=${cap.currency} />`],
    ]} /></${Card}>`;
}

const Alerts = ({ alerts }) => html`<${Card} title="What is wrong now" aside=${html`<a href="/console/alerts">All alerts</a>`}>
    ${alerts.length ? html`<ul class="checks-list">${alerts.map((alert) => html`<li key=${alert.number}><${Badge} of=${alert.kind} tone="bad" />
        <span>${alert.detail || alert.subject} <span class="note"><${Away} at=${alert.raised_at} /></span></span></li>`)}</ul>` :
        html`<${Empty} title="Nothing"><p>No alert stands.</p></${Empty}>`}</${Card}>`;

export default function Overview() {
    const load = useLoad(async (signal) => {
        const [host, cap, alerts, suspensions, balance, books] = await Promise.all(['/v1/admin/host', '/v1/admin/cap', '/v1/admin/alerts?standing=true',
            '/v1/admin/suspensions', '/v1/admin/ledger/trial_balance', '/v1/admin/reconciliation?limit=1'].map((path) => get(path, { signal })));
        return { host, cap, alerts: alerts.data, suspensions: suspensions.data, balance, books: books.data[0] };
    }, [], 30, /^(alert|host|dispute)/);
    return html`<${Page} title="Overview"><${Loaded} load=${load}>${({ host, cap, alerts, suspensions, balance, books }) => html`
        <${Stats}>
            <${Stat} label="Alerts" note="standing now">${alerts.length}</${Stat}>
            <${Stat} label="Suspended" note=${`for want of money; ${suspensions.filter((one) => one.by === 'operator').length} by an operator`}>${suspensions.filter((one) => one.by === 'money').length}</${Stat}>
            <${Stat} label="Ledger" note="all entries added up again"><${Badge} of=${balance.sound ? 'sound' : 'differs'} /></${Stat}>
            <${Stat} label="Meter lag" note="since the last sample">${host.meter.last_sample_age_ms} ms</${Stat}></${Stats}>
        <${Alerts} alerts=${alerts} />
        <div class="columns two"><${Capacity} host=${host.host} /><${Meter} meter=${host.meter} /><${LastHour} books=${books} /><${Cap} cap=${cap} /></div>`}</${Loaded}></${Page}>`;
}

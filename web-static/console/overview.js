// The host at a glance: is it well, what runs on it, what is wrong.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Away, Badge, Card, Empty, Facts, Loaded, Money, Page, Stat, Stats } from '../lib/ui.js';

const words = (name) => name.replaceAll('_', ' ');

// What a daemon says of itself: plain values as they are, lists by their length.
function factsOf(object) {
    return Object.entries(object ?? {}).filter(([, value]) => value !== null && typeof value !== 'object')
        .map(([name, value]) => [words(name), typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)]);
}

function Cap({ cap }) {
    return html`<${Card} title="The cap"><${Facts} rows=${[
        ['Stops measured', String(cap.stops ?? 0)],
        ['From no money to no run, median', cap.p50_ms === null || cap.p50_ms === undefined ? 'none yet' : `${cap.p50_ms} ms`],
        ['99 of 100', cap.p99_ms === null || cap.p99_ms === undefined ? 'none yet' : `${cap.p99_ms} ms`],
        ['Most used past anybody\'s money', html`<${Money} amount=${cap.overshoot_max ?? '0.00'} currency="EUR" />`],
    ]} /></${Card}>`;
}

const Alerts = ({ alerts }) => html`<${Card} title="What is wrong now" aside=${html`<a href="/console/alerts">All alerts</a>`}>
    ${alerts.length ? html`<ul class="checks-list">${alerts.map((alert) => html`<li key=${alert.number}><${Badge} of=${alert.kind} tone="bad" />
        <span>${alert.detail || alert.subject} <span class="note"><${Away} at=${alert.raised_at} /></span></span></li>`)}</ul>` :
        html`<${Empty} title="Nothing"><p>No alert stands.</p></${Empty}>`}</${Card}>`;

export default function Overview() {
    const load = useLoad(async (signal) => {
        const [host, cap, alerts, suspensions, balance] = await Promise.all(['/v1/admin/host', '/v1/admin/cap', '/v1/admin/alerts?standing=true',
            '/v1/admin/suspensions', '/v1/admin/ledger/trial_balance'].map((path) => get(path, { signal })));
        return { host, cap, alerts: alerts.data, suspensions: suspensions.data, balance };
    }, [], 30, /^(alert|host|dispute)/);
    return html`<${Page} title="Overview"><${Loaded} load=${load}>${({ host, cap, alerts, suspensions, balance }) => html`
        <${Stats}>
            <${Stat} label="Alerts" note="standing now">${alerts.length}</${Stat}>
            <${Stat} label="Suspended" note="for want of money">${suspensions.length}</${Stat}>
            <${Stat} label="Ledger" note="all entries added up again"><${Badge} of=${balance.sound ? 'sound' : 'differs'} /></${Stat}>
            <${Stat} label="Meter" note="accountd's page of counters"><${Badge} of=${host.meter?.state ?? (host.meter ? 'ok' : 'error')} /></${Stat}></${Stats}>
        <${Alerts} alerts=${alerts} />
        <div class="columns two"><${Card} title="Host"><${Facts} rows=${factsOf(host.host)} /></${Card}>
            <${Card} title="Meter"><${Facts} rows=${factsOf(host.meter)} /></${Card}><${Cap} cap=${cap} /></div>`}</${Loaded}></${Page}>`;
}

// The host's own books: what the CPUs did beside what was billed, interval by interval.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { count, cpuTime } from '../lib/meters.js';
import { Pager, pageOf } from '../lib/pager.js';
import { query, usePath } from '../lib/router.js';
import { Badge, Card, Code, DialogButton, Empty, Loaded, Page, Table, Time } from '../lib/ui.js';

const drifts = (row) => Boolean(row.drift);
const Drift = ({ row }) => html`<${Badge} of=${drifts(row) ? row.drift.trim() : 'sound'} tone=${drifts(row) ? 'bad' : 'good'} />`;
const time = (ns) => (ns === undefined ? '' : cpuTime(ns));

export const hourFacts = (row) => [['Until, UTC', html`<${Time} at=${row.to} />`], ['CPUs ran guests', time(row.cpu_guest_ns)], ['the hypervisor', time(row.cpu_hv_ns)], ['nothing', time(row.idle_ns)],
    ['Recorded for customers', time(row.customers_ns)], ['Ran but not recorded', row.skew_ns === undefined ? '' : `${count(row.skew_ns)} ns`], ['Statement', html`<${Drift} row=${row} />`]];

const COLUMNS = [
    { title: 'From, UTC', of: (row) => html`<${Time} at=${row.from} none="" />`, hide: 'phone' }, { title: 'To, UTC', of: (row) => html`<${Time} at=${row.to} none="" />` },
    { title: 'Guests', of: (row) => time(row.cpu_guest_ns), num: true, hide: 'phone' }, { title: 'Hypervisor', of: (row) => time(row.cpu_hv_ns), num: true, hide: 'phone' }, { title: 'Idle', of: (row) => time(row.idle_ns), num: true, hide: 'phone' },
    { title: 'Customers', of: (row) => time(row.customers_ns), num: true, hide: 'phone' }, { title: 'Drift', of: (row) => html`<${Drift} row=${row} />` },
    { title: '', of: (row) => html`<${DialogButton} label="All of it" tone="small" title="The host's books">${() => html`<${Code} label="The entry" text=${JSON.stringify(row, null, 2)} />`}</${DialogButton}>`, num: true },
];

export default function Reconciliation() {
    usePath();
    const { after } = query(), load = useLoad((signal) => get(`/v1/admin/reconciliation?limit=100${pageOf(after)}`, { signal }), [after], 60);
    return html`<${Page} title="Reconciliation" sub="Every second of every CPU is a guest's, the hypervisor's or idle. Here they are held against what was recorded and billed.">
        <${Loaded} load=${load}>${({ data, next_cursor: next }) => html`<${Card} flush><${Table} label="Reconciliation" columns=${COLUMNS} rows=${data} empty=${html`<${Empty} title="No interval is closed yet"><p>The first comes within an hour of the start.</p></${Empty}>`} /></${Card}><${Pager} after=${after} next=${next} first="Newest" more="Older" />`}</${Loaded}></${Page}>`;
}

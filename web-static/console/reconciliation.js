// The host's own books: what the CPUs did beside what was billed, interval by interval.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Card, Code, DialogButton, Empty, Loaded, Page, Table, Time } from '../lib/ui.js';

const plain = (row) => Object.entries(row).filter(([name, value]) => value !== null && typeof value !== 'object' && name !== 'from' && name !== 'to');

const COLUMNS = [
    { title: 'From, UTC', of: (row) => html`<${Time} at=${row.from} none="" />` }, { title: 'To, UTC', of: (row) => html`<${Time} at=${row.to} none="" />`, hide: 'phone' },
    { title: 'Said', of: (row) => plain(row).slice(0, 4).map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`).join(', ') },
    { title: '', of: (row) => html`<${DialogButton} label="All of it" tone="small" title="The host's books">${() => html`<${Code} label="The entry" text=${JSON.stringify(row, null, 2)} />`}</${DialogButton}>`, num: true },
];

export default function Reconciliation() {
    const load = useLoad((signal) => get('/v1/admin/reconciliation?limit=100', { signal }), [], 60);
    return html`<${Page} title="Reconciliation" sub="Every second of every CPU is a guest's, the hypervisor's or idle. Here they are held against what was recorded and billed.">
        <${Loaded} load=${load}>${({ data }) => html`<${Card} flush><${Table} label="Reconciliation" columns=${COLUMNS} rows=${data} empty=${html`<${Empty} title="No interval is closed yet"><p>The first comes within an hour of the start.</p></${Empty}>`} /></${Card}>`}</${Loaded}></${Page}>`;
}

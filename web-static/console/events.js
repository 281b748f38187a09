// What happened on this host, newest first as it comes.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Away, Card, Empty, Loaded, Page, Table } from '../lib/ui.js';

const COLUMNS = [
    { title: 'When', of: (row) => html`<${Away} at=${row.at} />` },
    { title: 'What', of: (row) => html`<span class="strong">${row.type}</span>` },
    { title: 'About', of: (row) => html`<code>${row.object}</code>`, hide: 'phone' },
    { title: 'Customer', of: (row) => (row.customer_id ? html`<a href=${`/console/customers/${row.customer_id}`}>${row.customer_id}</a>` : html`<span class="muted">the host</span>`), hide: 'phone' },
    { title: 'Details', of: (row) => html`<span class="muted">${Object.entries(row.data).map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`).join(', ')}</span>`, hide: 'phone' },
];

export default function Events() {
    const load = useLoad((signal) => get('/v1/admin/events?order=newest&limit=100', { signal }), [], 60, /./);
    return html`<${Page} title="Events"><${Loaded} load=${load}>${({ data }) => html`<${Card} flush><${Table} label="Events" columns=${COLUMNS} rows=${data} keyOf=${(row) => row.seq} empty=${html`<${Empty} title="Nothing has happened yet" />`} /></${Card}>`}</${Loaded}></${Page}>`;
}

// What happened on this host, newest first as it comes.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Pager, pageOf } from '../lib/pager.js';
import { query, usePath } from '../lib/router.js';
import { Away, Card, Empty, Loaded, Page, Table } from '../lib/ui.js';

const COLUMNS = [
    { title: 'When', of: (row) => html`<${Away} at=${row.at} />` },
    { title: 'What', of: (row) => html`<span class="strong">${row.type}</span>` },
    { title: 'About', of: (row) => html`<code>${row.object}</code>`, hide: 'phone' },
    { title: 'Customer', of: (row) => (row.customer_id ? html`<a href=${`/console/customers/${row.customer_id}`}>${row.customer_id}</a>` : html`<span class="muted">the host</span>`), hide: 'phone' },
    { title: 'Details', of: (row) => html`<span class="muted">${Object.entries(row.data).map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`).join(', ')}</span>`, hide: 'phone' },
];

export default function Events() {
    usePath();
    const { after } = query(), load = useLoad((signal) => get(`/v1/admin/events?order=newest&limit=100${pageOf(after)}`, { signal }), [after], 60, after ? null : /./);
    return html`<${Page} title="Events"><${Loaded} load=${load}>${({ data, next_cursor: next }) => html`<${Card} flush><${Table} label="Events" columns=${COLUMNS} rows=${data} keyOf=${(row) => row.seq} empty=${html`<${Empty} title="Nothing has happened yet" />`} /></${Card}><${Pager} after=${after} next=${next} first="Newest" more="Older" />`}</${Loaded}></${Page}>`;
}

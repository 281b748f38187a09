// All instances of this host, whoever's they are.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Away, Card, Empty, Loaded, Page, State, Table } from '../lib/ui.js';

const COLUMNS = [
    { title: 'Name', of: (row) => html`<a href=${`/console/domains/${row.id}`}>${row.name}</a><br /><code class="muted hide-phone">${row.id}</code>` },
    { title: 'Owner', of: (row) => html`<a href=${`/console/customers/${row.customer_id}`}>${row.customer_id}</a>`, hide: 'phone' },
    { title: 'State', of: (row) => html`<${State} instance=${row} />` },
    { title: 'Domain', of: (row) => (row.domid ? row.domid : html`<span class="muted">none</span>`), num: true },
    { title: 'Size', of: (row) => `${row.vcpus} vCPU, ${row.memory_mib} MiB`, hide: 'phone' },
    { title: 'Started', of: (row) => (row.started_at ? html`<${Away} at=${row.started_at} />` : html`<span class="muted">never</span>`), hide: 'phone' },
];

export default function Domains() {
    const load = useLoad((signal) => get('/v1/admin/domains', { signal }), [], 30, /^instance/);
    return html`<${Page} title="Domains" sub="Every instance that is not deleted."><${Loaded} load=${load}>${({ data }) => html`<${Card} flush>
        <${Table} label="Domains" columns=${COLUMNS} rows=${data} keyOf=${(row) => row.id} empty=${html`<${Empty} title="No instances" />`} /></${Card}>`}</${Loaded}></${Page}>`;
}

// Invoices of all customers, or of one.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Pager, pageOf } from '../lib/pager.js';
import { query, usePath } from '../lib/router.js';
import { Badge, Card, Empty, Loaded, Money, Page, Table, Time } from '../lib/ui.js';

const COLUMNS = [
    { title: 'Number', of: (row) => html`<a href=${`/console/invoices/${row.id}`}>${row.number_text ?? row.number}</a>` },
    { title: 'Customer', of: (row) => html`<a href=${`/console/customers/${row.customer_id}`}>${row.buyer?.name ?? row.customer_id}</a>` },
    { title: 'Issued', of: (row) => html`<${Time} at=${row.issued_at} />`, hide: 'phone' },
    { title: 'Records', of: (row) => row.records, num: true, hide: 'phone' },
    { title: 'Total', of: (row) => html`<${Money} amount=${row.total} currency=${row.currency} />`, num: true },
    { title: 'To pay', of: (row) => (Number(row.payable ?? 0) === 0 ? html`<${Badge} of="paid" />` : html`<${Money} amount=${row.payable} currency=${row.currency} />`), num: true, hide: 'phone' },
];

export default function Invoices() {
    usePath();
    const { customer_id: customer, after } = query();
    const load = useLoad((signal) => get(`/v1/admin/invoices?limit=200${pageOf(after)}${customer ? `&customer_id=${encodeURIComponent(customer)}` : ''}`, { signal }), [customer, after]);
    return html`<${Page} title="Invoices" sub="They come by themselves when a month is over; a customer can have one before."><${Loaded} load=${load}>${({ data, next_cursor: next }) => html`<${Card} flush>
        <${Table} label="Invoices" columns=${COLUMNS} rows=${data} keyOf=${(row) => row.id} empty=${html`<${Empty} title="No invoices yet" />`} /></${Card}><${Pager} after=${after} next=${next} />`}</${Loaded}></${Page}>`;
}

// Credit notes of all customers; a new one begins at its invoice.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Pager, pageOf } from '../lib/pager.js';
import { query, usePath } from '../lib/router.js';
import { Card, Empty, Loaded, Money, Page, Table, Time } from '../lib/ui.js';

const COLUMNS = [
    { title: 'Number', of: (row) => html`<a href=${`/console/invoices/${row.id}`}>${row.number_text ?? row.number}</a>` },
    { title: 'Customer', of: (row) => row.buyer?.name ?? row.customer_id },
    { title: 'For', of: (row) => row.refers?.number_text ?? '', hide: 'phone' },
    { title: 'Issued', of: (row) => html`<${Time} at=${row.issued_at} />`, hide: 'phone' },
    { title: 'Total', of: (row) => html`<${Money} amount=${row.total} currency=${row.currency} />`, num: true },
];

export default function CreditNotes() {
    usePath();
    const { after } = query(), load = useLoad((signal) => get(`/v1/admin/credit_notes?limit=200${pageOf(after)}`, { signal }), [after]);
    return html`<${Page} title="Credit notes" sub="Make one at the invoice that it is for."><${Loaded} load=${load}>${({ data, next_cursor: next }) => html`<${Card} flush>
        <${Table} label="Credit notes" columns=${COLUMNS} rows=${data} keyOf=${(row) => row.id} empty=${html`<${Empty} title="No credit notes yet" />`} /></${Card}><${Pager} after=${after} next=${next} />`}</${Loaded}></${Page}>`;
}

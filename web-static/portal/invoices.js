// Invoices and credit notes, and what the next invoice would say today.

import { all, get, post } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { go } from '../lib/router.js';
import * as time from '../lib/time.js';
import { Badge, Card, DialogButton, Empty, Form, Loaded, Money, Page, Table, Time } from '../lib/ui.js';

const COLUMNS = [
    { title: 'Number', of: (row) => html`<a href=${`/portal/invoices/${row.id}`}>${row.number_text ?? row.number}</a>` },
    { title: 'Kind', of: (row) => (row.kind === 'credit_note' ? 'Credit note' : 'Invoice'), hide: 'phone' },
    { title: 'Issued', of: (row) => html`<${Time} at=${row.issued_at} />` },
    { title: 'Period', of: (row) => (row.period_start ? `${time.shown(row.period_start).slice(0, 10)} to ${time.shown(row.period_end).slice(0, 10)}` : ''), hide: 'phone' },
    { title: 'Total', of: (row) => html`<${Money} amount=${row.total} currency=${row.currency} />`, num: true },
    { title: 'To pay', of: (row) => (Number(row.payable ?? 0) === 0 ? html`<${Badge} of="paid" />` : html`<${Money} amount=${row.payable} currency=${row.currency} />`), num: true },
];

function Issue() {
    const form = useSubmit((values, options) => post('/v1/invoices', undefined, options));
    return html`<${DialogButton} label="Invoice now" title="Make an invoice now?">${(close) => html`<${Form} form=${form} values=${{}} button="Make it" cancel=${close} done=${(invoice) => go(`/portal/invoices/${invoice.id}`)}>
        <p>It has all that was used until now and was not invoiced before. Without this, an invoice comes by itself when the month is over. Either way the sum is the same, to the cent.</p></${Form}>`}</${DialogButton}>`;
}

const Draft = ({ draft }) => html`<${Card} title="The next invoice, as of now" aside=${html`<a href="/portal/invoices/draft">Look at the draft</a>`}>
    <p><span class="quote-total"><${Money} amount=${draft.total} currency=${draft.currency} /></span> <span class="muted">since ${time.shown(draft.period_start) || 'the start'}, with tax</span></p></${Card}>`;

export default function Invoices() {
    const load = useLoad(async (signal) => {
        const [invoices, notes, draft] = await Promise.all([all('/v1/invoices?limit=200'), all('/v1/credit_notes?limit=200'),
            get('/v1/invoices/draft', { signal }).catch((error) => { if (error.status === 409) return null; throw error; })]);
        const rows = new Map([...invoices, ...notes].map((row) => [row.id, row]));
        return { rows: [...rows.values()].sort((a, b) => (a.issued_at < b.issued_at ? 1 : -1)), draft };
    }, []);
    return html`<${Page} title="Invoices" actions=${html`<${Issue} />`}><${Loaded} load=${load}>${({ rows, draft }) => html`${draft && html`<${Draft} draft=${draft} />`}
        <${Card} flush><${Table} label="Invoices" columns=${COLUMNS} rows=${rows} keyOf=${(row) => row.id} empty=${html`<${Empty} title="No invoices yet"><p>One comes when the month is over.</p></${Empty}>`} /></${Card}>`}</${Loaded}></${Page}>`;
}

// One invoice as the operator sees it, and a credit note for it.

import { get, post, save } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { nameOf, units } from '../lib/meters.js';
import { Card, DialogButton, Empty, Facts, Form, Input, Loaded, Money, Page, Select, Stat, Stats, Table, Time, toast } from '../lib/ui.js';
import { For } from './roles.js';

function CreditNote({ invoice, close }) {
    const [values, set] = useState({ line: '', amount: '', reason: '' });
    const form = useSubmit(({ line, amount, reason }, options) => post('/v1/admin/credit_notes', { invoice_id: invoice.id, reason, ...(line && { lines: [{ line: Number(line), amount }] }) }, options));
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }), error: form.error?.of?.(name) });
    return html`<${Form} form=${form} values=${values} button="Make the credit note" cancel=${close} done=${() => { close(); toast('The credit note is made; its money is in the wallet'); }}>
        <${Select} label="What it gives back" ...${field('line')} options=${[['', 'All that is left of the invoice'], ...(invoice.lines ?? []).map((line) => [String(line.line), `Of line ${line.line}: ${nameOf(line.meter)}, ${line.amount}`])]} />
        ${values.line && html`<${Input} label="Amount, without tax" inputmode="decimal" ...${field('amount')} />`}<${Input} label="Reason" hint="Stands on the credit note." ...${field('reason')} /></${Form}>`;
}

const LINES = (currency) => [
    { title: '#', of: (row) => row.line }, { title: 'Meter', of: (row) => nameOf(row.meter) }, { title: 'Month', of: (row) => html`<span class="num">${row.period}</span>`, hide: 'phone' },
    { title: 'Quantity', of: (row) => html`<span class="num">${units(row)}</span>`, num: true, hide: 'phone' }, { title: 'Price', of: (row) => row.price, hide: 'phone' },
    { title: 'Amount', of: (row) => html`<${Money} amount=${row.amount} currency=${currency} />`, num: true },
];

export default function Invoice({ params: { id } }) {
    const load = useLoad((signal) => get(`/v1/admin/invoices/${id}`, { signal }), [id]), invoice = load.data;
    return html`<${Page} title=${invoice?.number_text ?? 'Invoice'} back=${['/console/invoices', 'Invoices']} actions=${invoice && html`
        <button type="button" class="btn" onClick=${() => save(`/v1/admin/invoices/${id}/bundle`, `${invoice.number_text}.tar`).catch((error) => toast(error.message, 'bad'))}>Bundle</button>
        ${invoice.kind === 'invoice' && html`<${For} role="billing" to="A credit note"><${DialogButton} label="Credit note" title=${`A credit note for ${invoice.number_text}`}>${(close) => html`<${CreditNote} invoice=${invoice} close=${close} />`}</${DialogButton}></${For}>`}`}>
        <${Loaded} load=${load}>${() => html`<${Stats}><${Stat} label="Net"><${Money} amount=${invoice.net} currency=${invoice.currency} /></${Stat}><${Stat} label="Total"><${Money} amount=${invoice.total} currency=${invoice.currency} /></${Stat}>
            <${Stat} label="Carried by the host"><${Money} amount=${invoice.carried_by_host ?? '0.00'} currency=${invoice.currency} /></${Stat}><${Stat} label="Records">${invoice.records ?? ''}</${Stat}></${Stats}>
            <${Card} title="About"><${Facts} rows=${[['Customer', invoice.buyer?.name], ['Issued, UTC', html`<${Time} at=${invoice.issued_at} />`], ['From, UTC', html`<${Time} at=${invoice.period_start} none="" />`], ['Until, UTC', html`<${Time} at=${invoice.period_end} none="" />`],
                ['Leaves of the log', `${invoice.from_index} to ${invoice.to_index}`], ['Id', html`<code>${id}</code>`]]} /></${Card}>
            <${Card} title="Lines" flush><${Table} label="Lines" columns=${LINES(invoice.currency)} rows=${invoice.lines ?? []} empty=${html`<${Empty} title="No lines" />`} /></${Card}>`}</${Loaded}></${Page}>`;
}

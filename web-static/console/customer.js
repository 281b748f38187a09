// One customer: money in, keys, a new password, and every transfer of the wallet.

import { all, get, post } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Badge, Card, Code, DialogButton, Empty, Facts, Form, Input, Loaded, Money, Notice, Page, Table, Time, toast } from '../lib/ui.js';
import { Transfers } from './transfers.js';
import { For } from './roles.js';

function Credit({ customer, close, reload }) {
    const [values, set] = useState({ amount: '', reason: '' });
    const form = useSubmit((body, options) => post(`/v1/admin/customers/${customer.id}/credits`, body, options));
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }), error: form.error?.of?.(name) });
    return html`<${Form} form=${form} values=${values} button="Give credit" cancel=${close} done=${() => { close(); toast('The credit is in the wallet'); reload(); }}>
        <${Input} label="Amount" inputmode="decimal" placeholder="10.00" ...${field('amount')} /><${Input} label="Reason" hint="Stands in the ledger." ...${field('reason')} /></${Form}>`;
}

function Secret({ words, text, close }) {
    return html`<div class="secret"><${Notice} tone="busy"><p>${words}</p></${Notice}><${Code} label="The secret" text=${text} /><div><button type="button" class="btn primary" onClick=${close}>Done</button></div></div>`;
}

function Key({ customer, close }) {
    const [name, set] = useState(''), [made, keep] = useState(null);
    const form = useSubmit((body, options) => post(`/v1/admin/customers/${customer.id}/keys`, body, options));
    return made ? html`<${Secret} words="This is the only time that the key is shown." text=${made.key} close=${close} />` : html`<${Form} form=${form} values=${{ name }} button="Make key" cancel=${close} done=${keep}>
        <${Input} label="Name" value=${name} onValue=${set} error=${form.error?.of?.('name')} /></${Form}>`;
}

function Reset({ customer, close }) {
    const [email, set] = useState(''), [made, keep] = useState(null), form = useSubmit((body, options) => post(`/v1/admin/customers/${customer.id}/password_reset`, body.email ? body : {}, options));
    return made ? html`<${Secret} words="Give this address to the customer by a way that you trust. It works once, for a day." text=${location.origin + made.path} close=${close} />` :
        html`<${Form} form=${form} values=${{ email }} button="Make the link" cancel=${close} done=${keep}><p>Whoever opens the link sets a new password. Be sure whom you give it to.</p>
            <${Input} label="E-mail" type="email" value=${email} onValue=${set} error=${form.error?.of?.('email')} hint="Left out: the customer's first user. One that nobody has makes a user." /></${Form}>`;
}

const INVOICES = [
    { title: 'Number', of: (row) => html`<a href=${`/console/invoices/${row.id}`}>${row.number_text ?? row.number}</a>` },
    { title: 'Issued', of: (row) => html`<${Time} at=${row.issued_at} />` },
    { title: 'Total', of: (row) => html`<${Money} amount=${row.total} currency=${row.currency} />`, num: true },
];

async function look(id, signal) {
    const [customers, invoices, suspensions] = await Promise.all([all('/v1/admin/customers?limit=1000', 20000), get(`/v1/admin/invoices?customer_id=${id}`, { signal }), get('/v1/admin/suspensions', { signal })]);
    const customer = customers.find((one) => one.id === id);
    if (!customer)
        throw Object.assign(new Error('There is no customer with this id.'), { title: 'No such customer' });
    return { customer, invoices: invoices.data, suspension: suspensions.data.find((one) => one.customer_id === id) };
}

export default function Customer({ params: { id } }) {
    const load = useLoad((signal) => look(id, signal), [id]), customer = load.data?.customer;
    const dialog = (label, title, Body) => html`<${DialogButton} label=${label} title=${title}>${(close) => html`<${Body} customer=${customer} close=${close} reload=${load.reload} />`}</${DialogButton}>`;
    return html`<${Page} title=${customer?.name ?? 'Customer'} back=${['/console/customers', 'Customers']} actions=${customer && html`<${For} role="billing" to="Giving credit">${dialog('Give credit', `Credit for ${customer.name}`, Credit)}</${For}>
        <${For} role="support" to="Making keys and passwords">${dialog('Make a key', `A key for ${customer.name}`, Key)}${dialog('Reset password', 'A new password', Reset)}</${For}>`}>
        <${Loaded} load=${load}>${({ invoices, suspension }) => html`<div class="columns two"><${Card} title="Customer"><${Facts} rows=${[['Name', customer.name], ['Currency', customer.currency],
            ['Since', html`<${Time} at=${customer.created_at} />`], ['State', suspension ? html`<${Badge} of=${suspension.state} />` : html`<${Badge} of="active" />`], ['Id', html`<code>${id}</code>`]]} /></${Card}>
            <${Card} title="Invoices" flush><${Table} label="Invoices" columns=${INVOICES} rows=${invoices} keyOf=${(row) => row.id} empty=${html`<${Empty} title="None yet" />`} /></${Card}></div>
            <${Transfers} account=${id} />`}</${Loaded}></${Page}>`;
}

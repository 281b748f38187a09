// All customers, and a new one.

import { get, post } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Pager, pageOf } from '../lib/pager.js';
import { go, query, usePath } from '../lib/router.js';
import { Card, DialogButton, Empty, Form, Input, Loaded, Page, Select, Table, Time, toast } from '../lib/ui.js';
import { For } from './roles.js';

const COLUMNS = [
    { title: 'Name', of: (row) => html`<a href=${`/console/customers/${row.id}`}>${row.name}</a>` },
    { title: 'Currency', of: (row) => row.currency, hide: 'phone' },
    { title: 'Since', of: (row) => html`<${Time} at=${row.created_at} />`, hide: 'phone' },
    { title: 'Id', of: (row) => html`<code>${row.id}</code>` },
];

function Create({ close }) {
    const [values, set] = useState({ name: '', currency: 'EUR' });
    const form = useSubmit((body, options) => post('/v1/admin/customers', body, options));
    return html`<${Form} form=${form} values=${values} button="Create" cancel=${close} done=${(customer) => { close(); toast(`${customer.name} was made`); go(`/console/customers/${customer.id}`); }}>
        <${Input} label="Name" value=${values.name} onValue=${(name) => set({ ...values, name })} error=${form.error?.of?.('name')} />
        <${Select} label="Currency" value=${values.currency} options=${['EUR', 'USD', 'GBP', 'CHF'].map((one) => [one, one])} onValue=${(currency) => set({ ...values, currency })} /></${Form}>`;
}

export default function Customers() {
    usePath();
    const { after } = query(), load = useLoad((signal) => get(`/v1/admin/customers?limit=100${pageOf(after)}`, { signal }), [after]);
    return html`<${Page} title="Customers" actions=${html`<${For} role="support" to="Making customers"><${DialogButton} label="New customer" tone="primary">${(close) => html`<${Create} close=${close} />`}</${DialogButton}></${For}>`}>
        <${Loaded} load=${load}>${({ data, next_cursor: next }) => html`<${Card} flush><${Table} label="Customers" columns=${COLUMNS} rows=${data} keyOf=${(row) => row.id} empty=${html`<${Empty} title="No customers yet" />`} /></${Card}>
            <${Pager} after=${after} next=${next} />`}</${Loaded}></${Page}>`;
}

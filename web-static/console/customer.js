// One customer: money, what runs, invoices, who may act for them, and what speaks for caution.

import { get, post } from '../lib/api.js';
import { Once } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { query, usePath } from '../lib/router.js';
import { Badge, DialogButton, Form, Input, Loaded, Page, Tabs, toast } from '../lib/ui.js';
import { Access, Instances, Invoices, Money, Overview } from './customer_parts.js';
import { For } from './roles.js';
import { Suspend, byWhom } from './suspend.js';

function Credit({ customer, close, reload }) {
    const [values, set] = useState({ amount: '', reason: '' });
    const form = useSubmit((body, options) => post(`/v1/admin/customers/${customer.id}/credits`, body, options));
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }), error: form.error?.of?.(name) });
    return html`<${Form} form=${form} values=${values} button="Give credit" cancel=${close} done=${() => { close(); toast('The credit is in the wallet'); reload(); }}>
        <${Input} label="Amount" inputmode="decimal" placeholder="10.00" ...${field('amount')} /><${Input} label="Reason" hint="Stands in the ledger." ...${field('reason')} /></${Form}>`;
}

function Key({ customer, close, reload }) {
    const [name, set] = useState(''), [made, keep] = useState(null);
    const form = useSubmit((body, options) => post(`/v1/admin/customers/${customer.id}/keys`, body, options));
    return made ? html`<${Once} label="The secret" words="This is the only time that the key is shown." text=${made.key} done=${() => { close(); reload(); }} />` : html`<${Form} form=${form} values=${{ name }} button="Make key" cancel=${close} done=${keep}>
        <${Input} label="Name" value=${name} onValue=${set} error=${form.error?.of?.('name')} /></${Form}>`;
}

function Reset({ customer, close, reload }) {
    const [email, set] = useState(''), [made, keep] = useState(null), form = useSubmit((body, options) => post(`/v1/admin/customers/${customer.id}/password_reset`, body.email ? body : {}, options));
    return made ? html`<${Once} label="The secret" words="Give this address to the customer by a way that you trust. It works once, for a day." text=${location.origin + made.path} done=${() => { close(); reload(); }} />` :
        html`<${Form} form=${form} values=${{ email }} button="Make the link" cancel=${close} done=${keep}><p>Whoever opens the link sets a new password. Be sure whom you give it to.</p>
            <${Input} label="E-mail" type="email" value=${email} onValue=${set} error=${form.error?.of?.('email')} hint="Left out: the customer's first user. One that nobody has makes a user." /></${Form}>`;
}

const TABS = [['overview', 'Overview', Overview], ['instances', 'Instances', Instances], ['money', 'Money', Money], ['invoices', 'Invoices', Invoices], ['access', 'Keys and people', Access]];

// An instance that an operator suspended is told on its own screen.
function State({ customer }) {
    const whole = customer.suspensions.filter((one) => !one.payer.startsWith('ins_'));
    return whole.length ? whole.map((one) => html`<${Badge} of=${one.state} /> by ${byWhom(one)} `) : html`<${Badge} of="active" />`;
}

export default function Customer({ params: { id } }) {
    usePath();
    const load = useLoad((signal) => get(`/v1/admin/customers/${id}`, { signal }), [id], 30), customer = load.data;
    const [at, , Part] = TABS.find(([key]) => key === query().tab) ?? TABS[0];
    const dialog = (label, title, Body) => html`<${DialogButton} label=${label} title=${title}>${(close) => html`<${Body} customer=${customer} close=${close} reload=${load.reload} />`}</${DialogButton}>`;
    return html`<${Page} title=${customer?.name ?? 'Customer'} back=${['/console/customers', 'Customers']} sub=${customer && html`<${State} customer=${customer} /> <code>${id}</code>`}
        actions=${customer && html`<${For} role="billing" to="Giving credit">${dialog('Give credit', `Credit for ${customer.name}`, Credit)}</${For}>
        <${For} role="billing" to="Suspending"><${Suspend} path=${`customers/${id}`} name=${customer.name} standing=${customer.suspensions.find((one) => one.payer === id && one.by === 'operator')} reload=${load.reload} /></${For}>
        <${For} role="support" to="Making keys and passwords">${dialog('Make a key', `A key for ${customer.name}`, Key)}${dialog('Reset password', 'A new password', Reset)}</${For}>`}>
        <${Tabs} label="About this customer" tabs=${TABS} at=${at} />
        <${Loaded} load=${load}>${() => html`<${Part} customer=${customer} reload=${load.reload} />`}</${Loaded}></${Page}>`;
}

// Purchase orders: parts of the wallet with a name and an end, which pay for the instances that are made under them.

import { get, post, remove } from '../lib/api.js';
import { Confirm } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import * as money from '../lib/money.js';
import { Pager, pageOf } from '../lib/pager.js';
import { query, usePath } from '../lib/router.js';
import { Badge, Card, DialogButton, Empty, Facts, Form, Gauge, Input, Loaded, Money, Page, Time, toast } from '../lib/ui.js';

const PAGE = 20;

function Create({ close, reload }) {
    const [values, set] = useState({ name: '', amount: '', ends: '' });
    const form = useSubmit(({ name, amount, ends }, options) => post('/v1/purchase_orders', { name, amount, ...(ends && { ends_at: `${ends}T00:00:00Z` }) }, options));
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }), error: form.error?.of?.(name) });
    return html`<${Form} form=${form} values=${values} button="Create" cancel=${close} done=${(order) => { close(); toast(`${order.name} was made`); reload(); }}>
        <${Input} label="Name" ...${field('name')} placeholder="Research 2027" /><${Input} label="Amount" inputmode="decimal" placeholder="100.00" hint="Taken from the wallet now." ...${field('amount')} />
        <${Input} label="Ends on (may be left out)" type="date" hint="Then it closes by itself, and what is left goes back to the wallet." ...${field('ends')} /></${Form}>`;
}

function Add({ order, close, reload }) {
    const [amount, set] = useState('');
    const form = useSubmit((values, options) => post(`/v1/purchase_orders/${order.id}/add`, values, options));
    return html`<${Form} form=${form} values=${{ amount }} button="Add" cancel=${close} done=${() => { close(); reload(); }}>
        <${Input} label="Amount" inputmode="decimal" placeholder="10.00" value=${amount} onValue=${set} error=${form.error?.of?.('amount')} hint="From the wallet to this purchase order." /></${Form}>`;
}

const Close = ({ order, reload }) => html`<${Confirm} label="Close" button="Close it" title=${`Close ${order.name}?`} send=${() => remove(`/v1/purchase_orders/${order.id}`)} done=${reload}
    warning="What is left goes back to the wallet. Instances that it pays for stand still until somebody else pays." />`;

const Order = ({ order, currency, reload }) => html`<${Card} title=${order.name} aside=${html`<${Badge} of=${order.state} />`}>
    <${Gauge} label="Spent and set aside" share=${money.share(money.nano(order.spent) + money.nano(order.held), order.funded)} words=${`${money.cents(order.spent, currency)} of ${money.cents(order.funded, currency)}`} />
    <${Facts} rows=${[['Free', html`<${Money} amount=${order.available} currency=${currency} />`], ['Set aside', html`<${Money} amount=${order.held} currency=${currency} />`],
        ['Ends', html`<${Time} at=${order.ends_at} />`], ['Id', html`<code>${order.id}</code>`]]} />
    ${order.state === 'open' && html`<div class="actions"><${DialogButton} label="Add money" tone="small" title=${`Add money to ${order.name}`}>${(close) => html`<${Add} order=${order} close=${close} reload=${reload} />`}</${DialogButton}>
        <${Close} order=${order} reload=${reload} /></div>`}</${Card}>`;

export default function Orders() {
    usePath();
    const { after } = query();
    const load = useLoad(async (signal) => {
        const [orders, wallet] = await Promise.all([`/v1/purchase_orders?limit=${PAGE}${pageOf(after)}`, '/v1/wallet'].map((path) => get(path, { signal })));
        return { orders: orders.data, next: orders.next_cursor, currency: wallet.currency };
    }, [after]);
    const add = html`<${DialogButton} label="New purchase order" tone="primary">${(close) => html`<${Create} close=${close} reload=${load.reload} />`}</${DialogButton}>`;
    return html`<${Page} title="Purchase orders" sub="Money set apart under a name. Instances made under a purchase order are paid from it alone." actions=${add}>
        <${Loaded} load=${load}>${({ orders, next, currency }) => (orders.length ? html`<div class="columns two">${orders.map((order) => html`<${Order} key=${order.id} order=${order} currency=${currency} reload=${load.reload} />`)}</div>
            <${Pager} after=${after} next=${next} first="Newest" more="Older" />` :
            html`<${Card}><${Empty} title="No purchase orders yet"><p>Use one to give a project its own money, and its own end.</p></${Empty}></${Card}>`)}</${Loaded}></${Page}>`;
}

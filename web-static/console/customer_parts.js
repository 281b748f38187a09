// The tabs of a customer's screen: each shows a part of GET /v1/admin/customers/{id}.

import { remove } from '../lib/api.js';
import { Confirm } from '../lib/confirm.js';
import { html } from '../lib/html.js';
import { Away, Badge, Card, Empty, Facts, Money as Amount, Stat, State, Stats, Table, Time, toast } from '../lib/ui.js';
import { may } from './roles.js';
import { Transfers } from './transfers.js';

const some = (rows) => rows.filter(([, value]) => value);
const list = (title, columns, rows, none) => html`<${Card} title=${title} flush><${Table} label=${title} columns=${columns} rows=${rows} keyOf=${(row) => row.id} empty=${html`<${Empty} title=${none} />`} /></${Card}>`;

// What is worth a second look, in words; nothing when all is well.
function Risk({ customer: { risk, currency } }) {
    const sum = (amount) => html`<${Amount} amount=${amount} currency=${currency} />`;
    return html`<${Card} title="Risk"><${Facts} rows=${[['Used past the money, carried by us', sum(risk.carried)], ['Card payments taken back', `${risk.payments_taken_back}`], ['They came to', sum(risk.taken_back)],
        ['Of that already spent: our loss', sum(risk.taken_unpaid)], ['Disputes of invoices', `${risk.disputes}, ${risk.disputes_open} open`], ['Stopped for want of money', `${risk.stops} times`],
        ['The last time', html`<${Time} at=${risk.last_stop_at} />`]]} /></${Card}>`;
}

function Details({ customer: { billing_details: billed, created_at: since } }) {
    const address = [billed.street, [billed.postcode, billed.city].filter(Boolean).join(' '), billed.country].filter(Boolean).join(', ');
    return html`<${Card} title="Billed to"><${Facts} rows=${some([['Name', billed.name || html`<span class="muted">not given yet</span>`], ['Address', address], ['VAT id', billed.vat_id], ['E-mail', billed.email],
        ['Customer since', html`<${Time} at=${since} />`]])} /></${Card}>`;
}

export function Overview({ customer }) {
    const { money, currency, instances } = customer, sum = (amount) => html`<${Amount} amount=${amount} currency=${currency} />`;
    return html`<${Stats}><${Stat} label="Balance" note="in the wallet">${sum(money.balance)}</${Stat}><${Stat} label="Held" note="for what runs">${sum(money.held)}</${Stat}>
        <${Stat} label="Free">${sum(money.free)}</${Stat}><${Stat} label="Funded, ever">${sum(money.funded)}</${Stat}><${Stat} label="Spent, ever" note=${html`${sum(money.uninvoiced)} of it not invoiced`}>${sum(money.spent)}</${Stat}>
        <${Stat} label="Burns in an hour" note=${money.lasts_until ? html`lasts until <${Time} at=${money.lasts_until} />` : 'the money lasts'}>${sum(money.burn_per_hour)}</${Stat}>
        <${Stat} label="Instances" note="running">${instances.filter((one) => one.state === 'running').length} of ${instances.length}</${Stat}></${Stats}>
        <div class="columns two"><${Risk} customer=${customer} /><${Details} customer=${customer} /></div>`;
}

const INSTANCES = [
    { title: 'Name', of: (row) => html`<a href=${`/console/domains/${row.id}`}>${row.name}</a><br /><code class="muted">${row.id}</code>` },
    { title: 'State', of: (row) => html`<${State} instance=${row} />` },
    { title: 'Flavor', of: (row) => row.flavor, hide: 'phone' },
    { title: 'Size', of: (row) => `${row.vcpus} vCPU, ${row.memory_mib} MiB`, hide: 'phone' },
    { title: 'Started', of: (row) => (row.started_at ? html`<${Away} at=${row.started_at} />` : html`<span class="muted">never</span>`), hide: 'phone' },
];

export const Instances = ({ customer }) => list('Instances', INSTANCES, customer.instances, 'No instances');

const HOLDS = [
    { title: 'For', of: (row) => html`<a href=${`/console/domains/${row.instance_id}`}>${row.instance_id}</a>` },
    { title: 'Held in', of: (row) => row.purchase_order_id ?? 'the wallet', hide: 'phone' },
    { title: 'Since', of: (row) => html`<${Time} at=${row.at} />`, hide: 'phone' },
    { title: 'Amount', of: (row) => html`<${Amount} amount=${row.amount} currency="" />`, num: true },
];

const ORDERS = [
    { title: 'Name', of: (row) => html`${row.name}<br /><a href=${`/console/ledger/${encodeURIComponent(`po:${row.id}`)}`}>${row.id}</a>` },
    { title: 'State', of: (row) => html`<${Badge} of=${row.state} />` },
    { title: 'Funded', of: (row) => html`<${Amount} amount=${row.funded} currency="" />`, num: true, hide: 'phone' },
    { title: 'Spent', of: (row) => html`<${Amount} amount=${row.spent} currency="" />`, num: true, hide: 'phone' },
    { title: 'Free', of: (row) => html`<${Amount} amount=${row.available} currency="" />`, num: true },
];

export const Money = ({ customer }) => html`<div class="columns two">${list('Holds', HOLDS, customer.holds, 'Nothing is held')}${list('Purchase orders', ORDERS, customer.purchase_orders, 'No purchase orders')}</div>
    <${Transfers} account=${customer.id} />`;

const INVOICES = [
    { title: 'Number', of: (row) => html`<a href=${`/console/invoices/${row.id}`}>${row.number_text ?? row.number}</a>` },
    { title: 'Kind', of: (row) => String(row.kind ?? 'invoice').replace('_', ' '), hide: 'phone' },
    { title: 'Issued', of: (row) => html`<${Time} at=${row.issued_at} />` },
    { title: 'Total', of: (row) => html`<${Amount} amount=${row.total} currency=${row.currency} />`, num: true },
];

export const Invoices = ({ customer }) => html`${list('The newest', INVOICES, customer.invoices, 'None yet')}<p><a href=${`/console/invoices?customer_id=${customer.id}`}>All of this customer's invoices</a></p>`;

const Revoke = ({ row, reload }) => html`<${Confirm} label="Revoke" title=${`Revoke ${row.name}?`} warning="Whoever uses it is refused from now on. This cannot be undone." send=${() => remove(`/v1/admin/keys/${row.id}`)}
    done=${() => { toast('It works no more'); reload(); }} />`;

const keyState = (row) => (row.revoked_at ? 'revoked' : row.expires_at && Date.parse(row.expires_at) < Date.now() ? 'expired' : 'active');

const keys = (reload) => [
    { title: 'Name', of: (row) => html`${row.name}<br /><code class="muted">${row.id}</code>` },
    { title: 'May', of: (row) => html`<span class="muted">${row.scopes.length} scopes</span>`, hide: 'phone' },
    { title: 'Made', of: (row) => html`<${Time} at=${row.created_at} />`, hide: 'phone' },
    { title: 'State', of: (row) => html`<${Badge} of=${keyState(row)} />` },
    { title: '', of: (row) => keyState(row) === 'active' && may('support') && html`<${Revoke} row=${row} reload=${reload} />`, num: true },
];

const PEOPLE = [
    { title: 'E-mail', of: (row) => row.email },
    { title: 'Name', of: (row) => row.name, hide: 'phone' },
    { title: 'Second factor', of: (row) => html`<${Badge} of=${row.totp ? 'on' : 'off'} tone=${row.totp ? 'good' : 'plain'} />` },
];

export const Access = ({ customer, reload }) => html`${list('People', PEOPLE, customer.people, 'Nobody has signed up')}${list('API keys', keys(reload), customer.keys, 'No keys')}`;

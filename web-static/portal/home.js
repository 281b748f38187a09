// What runs, what it costs, and how long the money lasts.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import * as money from '../lib/money.js';
import * as time from '../lib/time.js';
import { Away, Badge, Card, Empty, Gauge, Loaded, Money, Page, Stat, State, Stats, Table } from '../lib/ui.js';
import { may, mayMoney } from './may.js';

const Figures = ({ wallet }) => html`<${Stats}>
    <${Stat} label="Available" note=${html`of ${money.shown(wallet.balance, wallet.currency)} balance`}>
        <${Money} amount=${wallet.available} currency=${wallet.currency} /></${Stat}>
    <${Stat} label="Goes out per hour" note="as things run now"><${Money} amount=${wallet.burn_per_hour} currency=${wallet.currency} /></${Stat}>
    <${Stat} label="Money lasts" note=${wallet.lasts_until ? `until ${time.shown(wallet.lasts_until)} UTC` : 'nothing is being used'}>
        ${wallet.lasts_until ? time.away(wallet.lasts_until).replace(/^in /, '') : 'as long as you like'}</${Stat}>
    <${Stat} label="Set aside" note="the next hour of what runs"><${Money} amount=${wallet.held} currency=${wallet.currency} /></${Stat}></${Stats}>`;

// The money is the cap: nothing runs past it.
function Caps({ wallet, budgets }) {
    const held = money.share(wallet.held, wallet.balance);
    return html`<${Card} title="Limits" aside=${html`<a href="/portal/budgets">Budgets</a>`}>
        <${Gauge} label="Set aside of your balance" share=${held} tone=${held > 0.9 ? 'bad' : held > 0.7 ? 'busy' : ''}
            words=${`${money.cents(wallet.held, wallet.currency)} of ${money.cents(wallet.balance, wallet.currency)}`} />
        ${budgets.map((budget) => { const share = money.share(budget.spent ?? '0.00', budget.amount); return html`<${Gauge} key=${budget.id} label="Budget of this month" share=${share}
            tone=${share >= 1 ? 'bad' : share >= 0.8 ? 'busy' : ''}
            words=${`${money.cents(budget.spent ?? '0.00', wallet.currency)} of ${money.cents(budget.amount, wallet.currency)}`} />`; })}
        <p class="note">Your instances stop when the money is used up. They never run into debt.</p></${Card}>`;
}

const ALERTS = { budget: 'A budget has reached a step', low_balance: 'The money will not last long', suspended: 'Instances stand still: the money is used up' };

const Alerts = ({ alerts }) => html`<${Card} title="Alerts">${alerts.length ? html`<ul class="checks-list">${alerts.map((alert) => html`
    <li key=${alert.number}><${Badge} of=${alert.kind} tone="busy" /><span>${alert.detail || ALERTS[alert.kind] || alert.subject}
        <span class="note"> <${Away} at=${alert.raised_at} /></span></span></li>`)}</ul>` :
    html`<${Empty} title="All is well"><p>Alerts about money and instances appear here.</p></${Empty}>`}</${Card}>`;

const COLUMNS = [
    { title: 'Name', of: (row) => html`<a href=${`/portal/instances/${row.id}`}>${row.name}</a>` },
    { title: 'State', of: (row) => html`<${State} instance=${row} />` },
    { title: 'Size', of: (row) => `${row.vcpus} vCPU, ${row.memory_mib} MiB`, hide: 'phone' },
    { title: 'Up since', of: (row) => (row.started_at ? html`<${Away} at=${row.started_at} />` : ''), hide: 'phone' },
];

const Instances = ({ instances, create }) => html`<${Card} title="Instances" flush aside=${html`<a href="/portal/instances">All instances</a>`}>
    <${Table} label="Instances" columns=${COLUMNS} rows=${instances.slice(0, 8)} keyOf=${(row) => row.id} empty=${html`<${Empty} title="No instances yet">
        <p>An instance starts in seconds and is billed by the second.</p>${create}</${Empty}>`} /></${Card}>`;

const About = ({ event, names }) => (event.object.startsWith('ins_') ? html`<a href=${`/portal/instances/${event.object}`}>${names.get(event.object) ?? 'an instance'}</a>` :
    event.object.startsWith('inv_') ? html`<a href=${`/portal/invoices/${event.object}`}>an invoice</a>` : event.data.name ?? '');

// The steps of an action are told by what becomes of its instance.
const STEPS = /^action[.](queued|running|succeeded)$/;

function Events({ events, instances }) {
    const names = new Map(instances.map((one) => [one.id, one.name]));
    return html`<${Card} title="Last events" flush><${Table} label="Last events" rows=${events.filter((row) => !STEPS.test(row.type)).slice(0, 8)} keyOf=${(row) => row.seq} empty=${html`<${Empty} title="Nothing yet" />`} columns=${[
        { title: 'What', of: (row) => row.type.replaceAll(/[._]/g, ' ') }, { title: 'About', of: (row) => html`<${About} event=${row} names=${names} />` },
        { title: 'When', of: (row) => html`<${Away} at=${row.at} />`, num: true }]} /></${Card}>`;
}

export default function Home({ session }) {
    const seesMoney = mayMoney(session), work = may(session, 'instances:read');
    const load = useLoad(async (signal) => {
        const ask = (path, allowed) => (allowed ? get(path, { signal }) : { data: [] });
        const [wallet, instances, budgets, alerts] = await Promise.all([ask('/v1/wallet', seesMoney), ask('/v1/instances', work), ask('/v1/budgets', seesMoney), ask('/v1/alerts?standing=true', seesMoney)]);
        const events = await get('/v1/events?order=newest&limit=40', { signal });
        return { wallet, instances: instances.data, budgets: budgets.data, alerts: alerts.data, events: events.data };
    }, [], 60, /./);
    const create = may(session, 'instances:write') && html`<a class="btn primary" href="/portal/create">Create an instance</a>`;
    return html`<${Page} title="Home" actions=${create}>
        <${Loaded} load=${load}>${(data) => html`${seesMoney && html`<${Figures} ...${data} />`}
            ${work && html`<${Instances} ...${data} create=${create} />`}<div class=${seesMoney ? 'columns two' : 'columns'}>${seesMoney && html`<${Caps} ...${data} />`}<div class="stack">${seesMoney && html`<${Alerts} ...${data} />`}<${Events} ...${data} /></div></div>`}</${Loaded}></${Page}>`;
}

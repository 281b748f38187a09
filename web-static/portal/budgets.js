// Budgets of a month: they tell, they do not stop; what stops is the money.

import { get, post, remove } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import * as money from '../lib/money.js';
import { Away, Badge, Card, DialogButton, Empty, Form, Gauge, Input, Loaded, Page, Table, toast } from '../lib/ui.js';

function Create({ close, reload }) {
    const [values, set] = useState({ amount: '', steps: '50, 80, 100' });
    const form = useSubmit(({ amount, steps }, options) => post('/v1/budgets', { amount, steps: steps.split(/[ ,]+/).filter(Boolean).map(Number) }, options));
    return html`<${Form} form=${form} values=${values} button="Create" cancel=${close} done=${() => { close(); toast('The budget is kept'); reload(); }}>
        <${Input} label="Amount of a month" inputmode="decimal" placeholder="50.00" value=${values.amount} onValue=${(amount) => set({ ...values, amount })} error=${form.error?.of?.('amount')} />
        <${Input} label="Tell me at these percents" value=${values.steps} onValue=${(steps) => set({ ...values, steps })} error=${form.error?.of?.('steps')} hint="An alert at each, once a month." /></${Form}>`;
}

function Budget({ budget, currency, reload }) {
    const form = useSubmit(() => remove(`/v1/budgets/${budget.id}`)), share = money.share(budget.spent ?? '0.00', budget.amount);
    return html`<${Card} title=${`${money.cents(budget.amount, currency)} a month`} aside=${html`<button type="button" class="btn small" disabled=${form.busy} onClick=${async () => { if (await form.submit({}) !== undefined) reload(); }}>Delete</button>`}>
        <${Gauge} label=${budget.period ? `Spent in ${budget.period}` : 'Spent this month'} share=${share} tone=${share >= 1 ? 'bad' : share >= 0.8 ? 'busy' : ''} words=${`${money.shown(budget.spent ?? '0.00', currency)} (${Math.floor(share * 100)} %)`} />
        <p class="note">Tells at ${budget.steps.map((step) => `${step} %`).join(', ')}.</p></${Card}>`;
}

const ALERTS = [
    { title: 'When', of: (row) => html`<${Away} at=${row.raised_at} />` },
    { title: 'What', of: (row) => html`<${Badge} of=${row.kind} tone=${row.cleared_at ? 'plain' : 'busy'} /> ${row.detail || row.subject}` },
    { title: 'Over', of: (row) => (row.cleared_at ? html`<${Away} at=${row.cleared_at} />` : html`<span class="muted">it still holds</span>`), hide: 'phone' },
];

export default function Budgets() {
    const load = useLoad(async (signal) => {
        const [budgets, alerts, wallet] = await Promise.all(['/v1/budgets', '/v1/alerts?limit=50', '/v1/wallet'].map((path) => get(path, { signal })));
        return { budgets: budgets.data, alerts: alerts.data, currency: wallet.currency };
    }, [], 30);
    const add = html`<${DialogButton} label="New budget" tone="primary">${(close) => html`<${Create} close=${close} reload=${load.reload} />`}</${DialogButton}>`;
    return html`<${Page} title="Budgets" sub="A budget tells you in time. It never stops anything: instances stop when the money that pays for them is used up." actions=${add}>
        <${Loaded} load=${load}>${({ budgets, alerts, currency }) => html`${budgets.length ? html`<div class="columns two">${budgets.map((budget) => html`<${Budget} key=${budget.id} budget=${budget} currency=${currency} reload=${load.reload} />`)}</div>` :
            html`<${Card}><${Empty} title="No budgets yet"><p>Say what a month may cost, and hear of it before it does.</p></${Empty}></${Card}>`}
            <${Card} title="Alerts" flush><${Table} label="Alerts" columns=${ALERTS} rows=${alerts} keyOf=${(row) => row.number} empty=${html`<${Empty} title="No alerts so far" />`} /></${Card}>`}</${Loaded}></${Page}>`;
}

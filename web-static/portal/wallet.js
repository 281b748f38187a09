// The money: what there is, how more gets in, and each line of it.

import { get, post } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { nameOf } from '../lib/meters.js';
import * as money from '../lib/money.js';
import { Away, Card, Copy, DialogButton, Empty, Form, Input, Loaded, Money, Page, Stat, Stats, Table, Time, toast } from '../lib/ui.js';

const CODES = { fund: 'Credit', credit: 'Credit', voucher: 'Voucher', bank: 'Bank transfer', card: 'Card', usage: 'Usage', tax: 'Tax', rounding: 'Rounding to the cent',
    po: 'Purchase order', refund: 'Refund', credit_note: 'Credit note' };

// What one record or one invoice moved is one line here: a record is charged meter by meter.
function folded(entries) {
    const rows = [];
    for (const entry of entries) {
        const last = rows.at(-1), alone = entry.code !== 'usage' && entry.code !== 'tax' && entry.code !== 'rounding';
        if (last && !alone && last.refers === entry.refers && last.code === entry.code)
            Object.assign(last, { amount: money.text(money.nano(last.amount) + money.nano(entry.amount)), parts: last.parts + 1 });
        else
            rows.push({ ...entry, parts: 1 });
    }
    return rows;
}

function About({ row }) {
    const [kind, id, index] = (row.refers ?? '').split(' ');
    if (kind === 'invoice')
        return html`<a href=${`/portal/invoices/${id}`}>the invoice</a>`;
    return html`<span class="muted">${kind === 'leaf' ? `record ${index} of the log` : row.refers}</span>`;
}

const reasonOf = (row) => (row.parts > 1 ? `${row.parts} meters` : row.code === 'usage' ? nameOf(row.reason) : row.reason === row.code ? '' : row.reason);

const ENTRIES = (currency) => [
    { title: 'When, UTC', of: (row) => html`<${Time} at=${row.at} />` },
    { title: 'What', of: (row) => html`${CODES[row.code] ?? row.code}<span class="note"> ${reasonOf(row)}</span>` },
    { title: 'About', of: (row) => html`<${About} row=${row} />`, hide: 'phone' },
    { title: 'Amount', of: (row) => html`<${Money} amount=${row.amount} currency=${currency} />`, num: true },
];

function Redeem({ close, reload }) {
    const [code, set] = useState('');
    const form = useSubmit((values, options) => post('/v1/vouchers/redeem', values, options));
    return html`<${Form} form=${form} values=${{ code: code.trim() }} button="Redeem" cancel=${close} done=${() => { close(); toast('The voucher is in your wallet'); reload(); }}>
        <${Input} label="Voucher code" value=${code} onValue=${set} error=${form.error?.of?.('code')} placeholder="XSV-…" autocomplete="off" spellcheck="false" /></${Form}>`;
}

const TopUp = ({ wallet }) => html`<${Card} title="Add money by bank transfer">${wallet.payment_reference ? html`<p>Transfer any amount in ${wallet.currency} and give this reference. The money is yours as soon as the bank's statement is in.</p>
    <p class="row"><code class="strong">${wallet.payment_reference}</code><${Copy} text=${wallet.payment_reference} label="Copy reference" /></p>
    <p class="note">The account to pay to stands on each invoice.</p>` : html`<p>This host takes vouchers and credits from its operator.</p>`}</${Card}>`;

const Holds = ({ holds, names, currency }) => html`<${Card} title="Set aside" flush><${Table} label="Holds" rows=${holds} keyOf=${(row) => row.id} columns=${[
    { title: 'For', of: (row) => html`<a href=${`/portal/instances/${row.instance_id}`}>${names.get(row.instance_id) ?? row.instance_id}</a>` },
    { title: 'From', of: (row) => (row.purchase_order_id ? html`<a href="/portal/orders">a purchase order</a>` : 'the wallet') },
    { title: 'Amount', of: (row) => html`<${Money} amount=${row.amount} currency=${currency} />`, num: true },
]} empty=${html`<${Empty} title="Nothing is set aside"><p>Each running instance sets aside what its next hour can cost at most.</p></${Empty}>`} /></${Card}>`;

// The newest come with the wallet; older ones page by page.
function Entries({ wallet }) {
    const [older, set] = useState({ rows: [], next: wallet.next_cursor });
    const more = useSubmit(() => get(`/v1/wallet/entries?limit=100&after=${older.next}`));
    const load = async () => {
        const page = await more.submit({});
        if (page)
            set({ rows: [...older.rows, ...page.data], next: page.next_cursor });
    };
    const known = new Set(older.rows.map((row) => row.transfer_id));
    return html`<${Card} title="Entries" flush><${Table} label="Entries" columns=${ENTRIES(wallet.currency)} rows=${folded([...wallet.entries.filter((row) => !known.has(row.transfer_id)), ...older.rows])} keyOf=${(row) => row.transfer_id}
        empty=${html`<${Empty} title="No entries yet" />`} />${older.next !== null && older.next !== undefined && html`<div class="more"><button type="button" class="btn" disabled=${more.busy} onClick=${load}>Older entries</button></div>`}</${Card}>`;
}

export default function Wallet() {
    const load = useLoad(async (signal) => {
        const [wallet, holds, instances] = await Promise.all(['/v1/wallet', '/v1/holds', '/v1/instances'].map((path) => get(path, { signal })));
        return { wallet, holds: holds.data, names: new Map(instances.data.map((one) => [one.id, one.name])) };
    }, []);
    const redeem = html`<${DialogButton} label="Redeem a voucher" tone="primary">${(close) => html`<${Redeem} close=${close} reload=${load.reload} />`}</${DialogButton}>`;
    return html`<${Page} title="Wallet" actions=${redeem}><${Loaded} load=${load}>${({ wallet, holds, names }) => html`
        <${Stats}><${Stat} label="Balance"><${Money} amount=${wallet.balance} currency=${wallet.currency} /></${Stat}>
            <${Stat} label="Set aside"><${Money} amount=${wallet.held} currency=${wallet.currency} /></${Stat}>
            <${Stat} label="Available"><${Money} amount=${wallet.available} currency=${wallet.currency} /></${Stat}>
            <${Stat} label="Goes out per hour" note=${wallet.lasts_until && html`gone <${Away} at=${wallet.lasts_until} />`}><${Money} amount=${wallet.burn_per_hour} currency=${wallet.currency} /></${Stat}></${Stats}>
        <div class="columns two"><${TopUp} wallet=${wallet} /><${Holds} holds=${holds} names=${names} currency=${wallet.currency} /></div>
        <${Entries} wallet=${wallet} />`}</${Loaded}></${Page}>`;
}

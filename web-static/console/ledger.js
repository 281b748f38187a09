// The trial balance: every account, and whether its entries, added up again, give what it says.

import { get, save } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import * as money from '../lib/money.js';
import { Badge, Card, Loaded, Money, Notice, Page, Table } from '../lib/ui.js';

const side = (name) => ({ title: name, of: (row) => (money.nano(row[name.toLowerCase()]) ? html`<${Money} amount=${row[name.toLowerCase()]} currency="" />` : html`<span class="muted">0</span>`), num: true });

const COLUMNS = [
    { title: 'Account', of: (row) => (row.account === 'customers' || row.sum ? row.account : html`<a href=${`/console/ledger/${encodeURIComponent(row.account)}`}>${row.account}</a>`) },
    { title: 'Kind', of: (row) => row.kind, hide: 'phone' }, side('Debit'), side('Credit'),
];

export default function Ledger() {
    const load = useLoad((signal) => get('/v1/admin/ledger/trial_balance', { signal }), [], 60);
    return html`<${Page} title="Ledger" sub="From an account to its transfers, from those to the record or the paper that they refer to."
        actions=${html`<button type="button" class="btn" onClick=${() => save('/v1/admin/ledger/journal', 'host.journal')}>Journal (hledger)</button>`}>
        <${Loaded} load=${load}>${(balance) => html`${balance.sound ? html`<${Notice} tone="good"><p><strong>The books are sound.</strong> All entries were added up again just now, and give every balance.</p></${Notice}>` :
            html`<${Notice} tone="bad"><p><strong>The books do not close.</strong> The first account whose entries give another sum: ${balance.differs ?? 'debit and credit differ'}. Stop, and restore from a backup.</p></${Notice}>`}
            <${Card} title="Trial balance" aside=${html`<${Badge} of=${balance.sound ? 'sound' : 'differs'} />`} flush><${Table} label="Trial balance" columns=${COLUMNS} keyOf=${(row) => row.account}
                rows=${[...balance.accounts, { account: 'Sum', kind: '', debit: balance.debit, credit: balance.credit, sum: true }]} /></${Card}>`}</${Loaded}></${Page}>`;
}

// The transfers of one account of the ledger, oldest first, a page at a time.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Pager, pageOf } from '../lib/pager.js';
import { query, usePath } from '../lib/router.js';
import { Badge, Card, Empty, Loaded, Money, Page, Table, Time } from '../lib/ui.js';

const otherOf = (row, account) => (row.credit === account ? row.debit : row.credit);

// "invoice inv_...", "leaf ORIGIN INDEX", "operator opr_...": to what it names, where there is a screen of it.
const PLACES = {
    invoice: (id) => `invoices/${id}`, instance: (id) => `domains/${id}`, dispute: (id) => `disputes/${id}`,
    leaf: (origin, index) => `records/${index}?origin=${encodeURIComponent(origin)}`,
};

function Refers({ words }) {
    const [kind, ...ids] = String(words ?? '').split(' ');
    return PLACES[kind] && ids.length ? html`<a href=${`/console/${PLACES[kind](...ids)}`}>${words}</a>` : words;
}

const columns = (account) => [
    { title: 'When, UTC', of: (row) => html`<${Time} at=${row.at} />` },
    { title: 'With', of: (row) => html`<a href=${`/console/ledger/${encodeURIComponent(otherOf(row, account))}`}>${otherOf(row, account)}</a>`, hide: 'phone' },
    { title: 'What', of: (row) => html`${row.code} ${row.kind !== 'posted' && html`<${Badge} of=${row.kind} tone="plain" />`}<span class="note"> ${row.reason}${row.reason && row.refers && ', '}<${Refers} words=${row.refers} /></span>` },
    { title: 'Amount', of: (row) => html`<${Money} amount=${row.credit === account ? row.amount : `-${row.amount}`} currency="" />`, num: true },
];

export function Transfers({ account }) {
    usePath();
    const { after } = query(), load = useLoad((signal) => get(`/v1/admin/ledger/accounts/${encodeURIComponent(account)}/transfers?limit=50${pageOf(after)}`, { signal }), [account, after]);
    return html`<${Loaded} load=${load}>${({ data, next_cursor: next }) => html`<${Card} title="Transfers" flush><${Table} label="Transfers" columns=${columns(account)} rows=${data} keyOf=${(row) => row.id} empty=${html`<${Empty} title="None yet" />`} /></${Card}>
        <${Pager} after=${after} next=${next} />`}</${Loaded}>`;
}

export default function LedgerAccount({ params: { account } }) {
    return html`<${Page} title=${account} sub="Less than 0 goes out of this account." back=${['/console/ledger', 'Ledger']}><${Transfers} account=${account} /></${Page}>`;
}

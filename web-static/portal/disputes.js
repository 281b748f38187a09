// Disputes: what was said, what the records say, and how it ended.

import { all, get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Badge, Card, Code, DialogButton, Empty, Facts, Loaded, Money, Page, Table, Time } from '../lib/ui.js';
import { currencyOf } from './may.js';

const VERDICTS = { same: 'The records give the same amounts', differs: 'The records give other amounts', unproven: 'The records cannot prove it' };

function Details({ id, currency }) {
    const load = useLoad((signal) => get(`/v1/disputes/${id}`, { signal }), [id]);
    return html`<${Loaded} load=${load}>${(dispute) => html`<div class="stack"><${Facts} rows=${[
        ['Said', dispute.reason], ['The records', VERDICTS[dispute.verdict] ?? 'not looked at yet'],
        dispute.proposed && ['They propose to give back', html`<${Money} amount=${dispute.proposed} currency=${currency} />`],
        dispute.resolution && ['The operator', dispute.resolution], dispute.credit_note_id && ['Credit note', html`<a href=${`/portal/invoices/${dispute.credit_note_id}`}>${dispute.credit_note_id}</a>`],
    ]} /><h3>Evidence</h3><${Code} label="The evidence" text=${JSON.stringify(dispute.evidence, null, 2) ?? 'none'} /></div>`}</${Loaded}>`;
}

const columns = (currency) => [
    { title: 'Opened', of: (row) => html`<${Time} at=${row.opened_at} />` },
    { title: 'About', of: (row) => html`<a href=${`/portal/invoices/${row.invoice_id}`}>${row.line ? `line ${row.line} of an invoice` : 'an invoice'}</a>` },
    { title: 'Said', of: (row) => row.reason, hide: 'phone' },
    { title: 'Records', of: (row) => (row.verdict ? html`<${Badge} of=${row.verdict} />` : ''), hide: 'phone' },
    { title: 'State', of: (row) => html`<${Badge} of=${row.outcome ?? row.state} tone=${row.outcome === 'accepted' ? 'good' : row.outcome ? 'plain' : 'busy'} />` },
    { title: '', of: (row) => html`<${DialogButton} label="Evidence" tone="small" title="Dispute">${() => html`<${Details} id=${row.id} currency=${currency} />`}</${DialogButton}>`, num: true },
];

export default function Disputes({ session }) {
    const load = useLoad(() => all('/v1/disputes?limit=100').then((rows) => rows.reverse()), []);
    return html`<${Page} title="Disputes" sub="Open one from the invoice that it is about. What the records say is worked out at once, the same for you and for the operator.">
        <${Loaded} load=${load}>${(rows) => html`<${Card} flush><${Table} label="Disputes" columns=${columns(currencyOf(session))} rows=${rows} keyOf=${(row) => row.id} empty=${html`<${Empty} title="No disputes" />`} /></${Card}>`}</${Loaded}></${Page}>`;
}

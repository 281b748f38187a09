// One invoice: its lines, its files, a dispute, and its verification here in the browser.

import { get, post, request, save, text } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { nameOf, units } from '../lib/meters.js';
import { go } from '../lib/router.js';
import { Area, Card, DialogButton, Empty, Facts, Form, Loaded, Money, Notice, Page, Select, Stat, Stats, Table, Time, toast } from '../lib/ui.js';
import { Checks } from '../lib/verdict.js';

const FILES = [['pdf', 'PDF'], ['xml', 'XML (EN 16931)'], ['csv', 'CSV'], ['json', 'JSON']];

function Files({ invoice }) {
    const [error, set] = useState(null);
    const fetchFile = async (path, name) => {
        set(null);
        await save(path, name).catch(set);
    };
    const name = invoice.number_text ?? invoice.id;
    return html`<${Card} title="Files"><div class="actions">${FILES.map(([kind, words]) => html`<button key=${kind} type="button" class="btn" onClick=${() => fetchFile(`/v1/invoices/${invoice.id}/files/${kind}`, `${name}.${kind}`)}>${words}</button>`)}
        <button type="button" class="btn" onClick=${() => fetchFile(`/v1/invoices/${invoice.id}/bundle`, `${name}.tar`)}>Bundle with proofs</button></div>
        ${error && html`<${Notice} tone="bad">${error.message}</${Notice}>`}
        <p class="note">The bundle has the papers, their signatures, every record and the proofs, and says how to check them with tools that are not ours.</p></${Card}>`;
}

// The work is done here and nowhere else: the bundle is fetched as anyone gets it, and the verdict is this page's own.
async function verified(id) {
    const { verifyInvoice } = await import('../lib/verify/invoice.js');
    const [response, keys] = await Promise.all([request('GET', `/v1/invoices/${id}/bundle`, { accept: '*/*' }), text('/log/keys.txt')]);
    return verifyInvoice(new Uint8Array(await response.arrayBuffer()), keys);
}

function Verification({ id }) {
    const form = useSubmit(() => verified(id)), [result, set] = useState(null);
    const start = async () => { const found = await form.submit({ at: Date.now() }); if (found) set(found); };
    return html`<${Card} title="Check this invoice yourself">
        <p>Your browser fetches the signed bundle and works it all out again: the signatures, the log, every record, each amount and the tax.</p>
        <div><button type="button" class="btn primary" disabled=${form.busy} onClick=${start}>${form.busy && html`<span class="spinner" aria-hidden="true"></span>`}Verify in this browser</button></div>
        <div class="stack" role="status" aria-live="polite">${form.error && html`<${Notice} tone="bad">${form.error.message}</${Notice}>`}
        ${result && html`<${Notice} tone=${result.good ? 'good' : 'bad'}><p class="verdict"><span class=${result.good ? 'tick' : 'cross'} aria-hidden="true">${result.good ? '✓' : '✗'}</span>
            <strong>${result.good ? 'Verified: this invoice is right, by your own computer.' : 'Not verified: do not trust this invoice.'}</strong></p></${Notice}>
            <${Checks} checks=${result.checks} />${result.records > 0 && html`<p class="note">${result.records.toLocaleString('en')} records were followed.</p>`}`}</div></${Card}>`;
}

function Dispute({ invoice, close }) {
    const [values, set] = useState({ line: '', reason: '' });
    const form = useSubmit(({ line, reason }, options) => post('/v1/disputes', { invoice_id: invoice.id, reason, ...(line && { line: Number(line) }) }, options));
    return html`<${Form} form=${form} values=${values} button="Open a dispute" cancel=${close} done=${() => { close(); toast('The dispute is open'); go('/portal/disputes'); }}>
        <${Select} label="What it is about" value=${values.line} onValue=${(line) => set({ ...values, line })} options=${[['', 'All of the invoice'], ...(invoice.lines ?? []).map((line, i) => [String(i + 1), `Line ${i + 1}: ${nameOf(line.meter)}`])]} />
        <${Area} label="Why" value=${values.reason} onValue=${(reason) => set({ ...values, reason })} error=${form.error?.of?.('reason')} maxlength="2000" hint="The records are looked at again at once; an operator then decides." /></${Form}>`;
}

const LINES = (currency) => [
    { title: '#', of: (row, i) => i + 1 },
    { title: 'Meter', of: (row) => nameOf(row.meter) },
    { title: 'Month', of: (row) => html`<span class="num">${row.period}</span>`, hide: 'phone' },
    { title: 'Quantity', of: (row) => html`<span class="num" title=${`${row.quantity} of ${row.quantity_per_unit} to a ${row.unit}`}>${units(row)}</span>`, num: true, hide: 'phone' },
    { title: 'Price', of: (row) => row.price ?? '', hide: 'phone' },
    { title: 'Amount', of: (row) => html`<${Money} amount=${row.amount} currency=${currency} />`, num: true },
];

const DETAILS = (currency) => [
    { title: 'Instance', of: (row) => html`<code>${row.instance_id}</code>` },
    { title: 'Meter', of: (row) => nameOf(row.meter) },
    { title: 'Charged', of: (row) => html`<${Money} amount=${row.charged} currency=${currency} />`, num: true },
];

const Sums = ({ invoice }) => html`<${Stats}><${Stat} label="Net"><${Money} amount=${invoice.net ?? invoice.total} currency=${invoice.currency} /></${Stat}>
    ${(invoice.tax ?? []).map((tax) => html`<${Stat} label=${tax.rate_permyriad ? `Tax, ${tax.rate_permyriad / 100} %` : 'Tax'} note=${tax.reason}><${Money} amount=${tax.amount} currency=${invoice.currency} /></${Stat}>`)}
    <${Stat} label="Total"><${Money} amount=${invoice.total} currency=${invoice.currency} /></${Stat}>
    <${Stat} label="To pay" note=${invoice.kind === 'draft' ? 'a draft changes nothing' : 'it was paid as it was used'}><${Money} amount=${invoice.payable ?? '0.00'} currency=${invoice.currency} /></${Stat}></${Stats}>`;

const about = (invoice) => [invoice.issued_at && ['Issued, UTC', html`<${Time} at=${invoice.issued_at} />`], ['From, UTC', html`<${Time} at=${invoice.period_start} none="" />`], ['To, UTC', html`<${Time} at=${invoice.period_end} none="" />`],
    invoice.buyer?.name && ['Billed to', [invoice.buyer.name, invoice.buyer.street, `${invoice.buyer.postcode} ${invoice.buyer.city}`.trim(), invoice.buyer.country].filter(Boolean).join(', ')],
    invoice.seller?.iban && ['Bank account', html`<code>${invoice.seller.iban}</code>`], invoice.payment_reference && ['Reference', html`<code>${invoice.payment_reference}</code>`]];

const KINDS = { invoice: 'Invoice', credit_note: 'Credit note', draft: 'Draft' };

export default function Invoice({ params: { id } }) {
    const load = useLoad((signal) => get(`/v1/invoices/${id}`, { signal }), [id]);
    const invoice = load.data, draft = id === 'draft';
    const dispute = invoice?.kind === 'invoice' && html`<${DialogButton} label="Dispute" title=${`Dispute ${invoice.number_text}`}>${(close) => html`<${Dispute} invoice=${invoice} close=${close} />`}</${DialogButton}>`;
    return html`<${Page} title=${invoice ? `${KINDS[invoice.kind] ?? 'Invoice'} ${draft ? 'as of now' : invoice.number_text}` : 'Invoice'} back=${['/portal/invoices', 'Invoices']} actions=${dispute}>
        <${Loaded} load=${load}>${() => html`<${Sums} invoice=${invoice} />
            ${draft ? html`<${Notice}>A draft can still change: it has what was used until now. The invoice gets its number and signatures when it is made.</${Notice}>` :
        html`<div class="columns two"><${Verification} id=${id} /><div class="stack"><${Files} invoice=${invoice} /><${Card} title="About"><${Facts} rows=${about(invoice)} /></${Card}></div></div>`}
            <${Card} title="Lines" flush><${Table} label="Lines" columns=${LINES(invoice.currency)} rows=${invoice.lines ?? []} empty=${html`<${Empty} title="No lines" />`} /></${Card}>
            ${invoice.details?.length > 0 && html`<${Card} title="By instance" flush><${Table} label="By instance" columns=${DETAILS(invoice.currency)} rows=${invoice.details} /></${Card}>`}`}</${Loaded}></${Page}>`;
}

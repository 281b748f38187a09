// One dispute: what was said, what the records say line by line, and the decision.

import { get, post } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { nameOf } from '../lib/meters.js';
import { Area, Badge, Card, Code, Empty, Facts, Form, Input, Loaded, Money, Page, Select, Table, Time, toast } from '../lib/ui.js';
import { For } from './roles.js';

const LINES = [
    { title: '#', of: (row) => row.line }, { title: 'Meter', of: (row) => nameOf(row.meter) }, { title: 'Month', of: (row) => html`<span class="num">${row.period}</span>`, hide: 'phone' },
    { title: 'Invoiced', of: (row) => html`<${Money} amount=${row.invoiced} currency="" />`, num: true }, { title: 'By the records', of: (row) => html`<${Money} amount=${row.recomputed} currency="" />`, num: true },
    { title: 'Verdict', of: (row) => html`<${Badge} of=${row.verdict} />`, num: true },
];

const proposal = (dispute) => (dispute.proposed ? [['', `What the records propose: ${dispute.proposed} with tax`]] : []);

// What goes back when it is accepted: what the records propose, or a sum of one line that the operator names.
const asked = ({ outcome, reason, line, amount }) => ({ outcome, reason, ...(outcome === 'accepted' && line && { lines: [{ line: Number(line), amount }] }) });

function Resolve({ dispute, reload }) {
    const lines = dispute.evidence?.lines ?? [], first = dispute.proposed ? '' : String(dispute.line ?? lines[0]?.line ?? '');
    const [values, set] = useState({ outcome: dispute.proposed ? 'accepted' : 'rejected', reason: '', line: first, amount: '' });
    const form = useSubmit((body, options) => post(`/v1/admin/disputes/${dispute.id}/resolve`, asked(body), { ...options, reason: body.reason.replace(/[^\x20-\x7e]/g, ' ').slice(0, 200) }));
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }), error: form.error?.of?.(name) });
    return html`<${Card} title="Decide"><${Form} form=${form} values=${values} button="Decide" done=${() => { toast('The dispute is decided'); reload(); }}>
        <${Select} label="Outcome" ...${field('outcome')} options=${[['rejected', 'Rejected: the invoice stays'], ['accepted', 'Accepted: money goes back']]} />
        ${values.outcome === 'accepted' && html`<${Select} label="What goes back" ...${field('line')} options=${[...proposal(dispute), ...lines.map((line) => [String(line.line), `Of line ${line.line}: ${nameOf(line.meter)}, ${line.invoiced}`])]} />
            ${values.line && html`<${Input} label="Amount, without tax" inputmode="decimal" ...${field('amount')} error=${form.error?.of?.('lines')} />`}`}
        <${Area} label="Reason" ...${field('reason')} hint="The customer reads it." /></${Form}></${Card}>`;
}

export default function Dispute({ params: { id } }) {
    const load = useLoad((signal) => get(`/v1/admin/disputes/${id}`, { signal }), [id]);
    return html`<${Page} title="Dispute" back=${['/console/disputes', 'Disputes']}><${Loaded} load=${load}>${(dispute) => html`<div class="columns two">
        <${Card} title="What was said"><p>${dispute.reason}</p><${Facts} rows=${[['Customer', html`<a href=${`/console/customers/${dispute.customer_id}`}>${dispute.customer_id}</a>`], ['Invoice', html`<a href=${`/console/invoices/${dispute.invoice_id}`}>${dispute.invoice_id}</a>`],
            ['Line', dispute.line ?? 'all'], ['Opened', html`<${Time} at=${dispute.opened_at} />`], ['The records', html`<${Badge} of=${dispute.verdict ?? 'unproven'} />`], dispute.outcome && ['Outcome', html`<${Badge} of=${dispute.outcome} tone="plain" />`],
            dispute.resolution && ['Reason', dispute.resolution]]} /></${Card}>${!dispute.outcome && html`<${For} role="billing" to="Deciding it"><${Resolve} dispute=${dispute} reload=${load.reload} /></${For}>`}</div>
        <${Card} title="Line by line" flush><${Table} label="Line by line" columns=${LINES} rows=${dispute.evidence?.lines ?? []} keyOf=${(row) => row.line} empty=${html`<${Empty} title="No evidence yet" />`} /></${Card}>
        <${Card} title="All of the evidence"><${Code} label="The evidence" text=${JSON.stringify(dispute.evidence, null, 2) ?? 'none'} /></${Card}>`}</${Loaded}></${Page}>`;
}

// Money from outside: a bank's statement, payments that nobody was found for, and vouchers.

import { get, post } from '../lib/api.js';
import { Once } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Pager, pageOf } from '../lib/pager.js';
import { query, setQuery, usePath } from '../lib/router.js';
import { Badge, Card, DialogButton, Empty, Form, Input, Loaded, Money, Page, Select, Stat, Stats, Table, toast, useId } from '../lib/ui.js';
import { For, may } from './roles.js';

function Import({ close, reload }) {
    const [file, set] = useState(null), [result, keep] = useState(null), id = useId('file');
    const form = useSubmit(async (values, options) => post('/v1/admin/bank_imports', await file.text(), { ...options, type: 'application/xml' }));
    if (result)
        return html`<div class="stack"><${Stats}><${Stat} label="Credited">${result.credited ?? 0}</${Stat}><${Stat} label="In suspense">${result.suspense ?? 0}</${Stat}><${Stat} label="Known before">${result.duplicates ?? 0}</${Stat}></${Stats}>
            <div><button type="button" class="btn primary" onClick=${() => { close(); reload(); }}>Done</button></div></div>`;
    return html`<${Form} form=${form} values=${{ name: file?.name, size: file?.size, at: file?.lastModified }} button="Import" cancel=${close} done=${keep}>
        <div class="field"><label for=${id}>Statement (camt.053)</label><input id=${id} type="file" accept=".xml,application/xml" onChange=${(event) => set(event.target.files[0])} />
        <p class="hint">The same file twice does nothing twice.</p></div></${Form}>`;
}

function Voucher({ close }) {
    const [values, set] = useState({ amount: '', expires: '' }), [made, keep] = useState(null);
    const form = useSubmit(({ amount, expires }, options) => post('/v1/admin/vouchers', { amount, ...(expires && { expires_at: `${expires}T00:00:00Z` }) }, options));
    if (made)
        return html`<${Once} words="Whoever has this code can redeem it, once." label="The code" text=${made.code} done=${close} />`;
    return html`<${Form} form=${form} values=${values} button="Make voucher" cancel=${close} done=${keep}>
        <${Input} label="Amount" inputmode="decimal" placeholder="10.00" value=${values.amount} onValue=${(amount) => set({ ...values, amount })} error=${form.error?.of?.('amount')} />
        <${Input} label="Expires (may be left out)" type="date" value=${values.expires} onValue=${(expires) => set({ ...values, expires })} error=${form.error?.of?.('expires_at')} /></${Form}>`;
}

function End({ row, verb, label, field, hint, reload }) {
    const [value, set] = useState(''), form = useSubmit((body, options) => post(`/v1/admin/bank_entries/${row.id}/${verb}`, body, options));
    return html`<${DialogButton} label=${label} tone="small">${(close) => html`<${Form} form=${form} values=${{ [field]: value.trim() }} button=${label} cancel=${close} done=${() => { close(); toast(`${label}ed`); reload(); }}>
        <${Input} label=${field === 'reason' ? 'Reason' : 'Customer'} value=${value} onValue=${set} hint=${hint} error=${form.error?.of?.(field)} /></${Form}>`}</${DialogButton}>`;
}

const columns = (reload) => [
    { title: 'State', of: (row) => html`<${Badge} of=${row.state} />` },
    { title: 'Payer', of: (row) => html`${row.payer}<span class="note"> ${row.text}</span>` },
    { title: 'Why', of: (row) => row.why, hide: 'phone' },
    { title: 'Customer', of: (row) => row.customer_id && html`<a href=${`/console/customers/${row.customer_id}`}>${row.customer_id}</a>`, hide: 'phone' },
    { title: 'Amount', of: (row) => html`<${Money} amount=${row.amount} currency="" />`, num: true },
    { title: '', of: (row) => row.state === 'suspense' && may('billing') && html`<span class="actions"><${End} row=${row} verb="assign" label="Assign" field="customer_id" hint="The id, acc_…, of whose money it is." reload=${reload} />
        <${End} row=${row} verb="return" label="Return" field="reason" hint="Why it goes back to its payer." reload=${reload} /></span>`, num: true },
];

const STATES = [['', 'All'], ['suspense', 'In suspense'], ['credited', 'Credited'], ['ignored', 'Ignored'], ['assigned', 'Assigned'], ['returned', 'Returned']];

export default function Bank() {
    usePath();
    const { state = '', after } = query(), load = useLoad((signal) => get(`/v1/admin/bank_entries?limit=200${pageOf(after)}${state ? `&state=${state}` : ''}`, { signal }), [state, after]);
    return html`<${Page} title="Bank and vouchers" actions=${html`<${For} role="billing" to="Moving money"><${DialogButton} label="Make a voucher">${(close) => html`<${Voucher} close=${close} />`}</${DialogButton}>
        <${DialogButton} label="Import a statement" tone="primary">${(close) => html`<${Import} close=${close} reload=${load.reload} />`}</${DialogButton}></${For}>`}>
        <div class="row"><${Select} label="Show" value=${state} options=${STATES} onValue=${(value) => setQuery({ state: value, after: '' })} /></div>
        <${Loaded} load=${load}>${({ data, next_cursor: next }) => html`<${Card} title="Entries of the bank" flush><${Table} label="Entries of the bank" columns=${columns(load.reload)} rows=${data} keyOf=${(row) => row.id}
            empty=${html`<${Empty} title="No entries"><p>Import the bank's statement; payments find their customers by the reference.</p></${Empty}>`} /></${Card}><${Pager} after=${after} next=${next} />`}</${Loaded}></${Page}>`;
}

// What screens are made of. Each piece is usable by keyboard and says to a screen reader what it is.

import { html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { shown } from './money.js';
import * as time from './time.js';

let count = 0;
export const useId = (prefix) => useState(() => `${prefix}-${++count}`)[0];

// text

export const Money = ({ amount, currency, strong }) => (amount === null || amount === undefined ? html`<span class="muted">not known</span>` :
    html`<span class=${`num ${strong ? 'strong' : ''}`} title=${`${amount} ${currency ?? ''}`}>${shown(amount, currency)}</span>`);

export const Time = ({ at, none = 'never' }) => (at ? html`<time datetime=${at} title=${`${at} (${time.away(at)})`}>${time.shown(at)}</time>` :
    html`<span class="muted">${none}</span>`);

export const Away = ({ at }) => html`<time datetime=${at} title=${at}>${time.away(at)}</time>`;

const GOOD = ['running', 'succeeded', 'credited', 'published', 'open', 'active', 'same', 'available', 'attached', 'paid', 'ok', 'sound'];
const BAD = ['failed', 'billing_suspended', 'suspended', 'differs', 'deleted', 'revoked', 'expired', 'error'];
const BUSY = ['pending', 'building', 'stopping', 'suspending', 'queued', 'creating', 'proposed', 'suspense', 'unproven', 'draft'];

// The meter's word for an instance that stands still by another's will; whose it is, its state_reason says.
const WORDS = { billing_suspended: 'suspended' };

export function Badge({ of, tone }) {
    const kind = tone ?? (GOOD.includes(of) ? 'good' : BAD.includes(of) ? 'bad' : BUSY.includes(of) ? 'busy' : 'plain');
    return html`<span class=${`badge ${kind}`}>${WORDS[of] ?? String(of).replaceAll('_', ' ')}</span>`;
}

// An instance's state, and why, where there is something to say.
export const State = ({ instance }) => html`<${Badge} of=${instance.state} />${instance.state_reason && html`<span class="note"> ${instance.state_reason}</span>`}`;

export function Copy({ text, label = 'Copy' }) {
    const [done, set] = useState(false);
    const copy = async () => {
        await navigator.clipboard.writeText(text);
        set(true);
        setTimeout(() => set(false), 2000);
    };
    return html`<button type="button" class="btn small" onClick=${copy}>${done ? 'Copied' : label}</button>`;
}

export const Code = ({ text, label }) => html`<div class="code">
    <pre tabindex="0" aria-label=${label}>${text}</pre><${Copy} text=${text} /></div>`;

// places

export function Page({ title, sub, actions, back, children }) {
    useEffect(() => { document.title = `${title} · XenoServer`; }, [title]);
    return html`<div class="page">
        ${back && html`<a class="back" href=${back[0]}>← ${back[1]}</a>`}
        <div class="page-head"><div><h1 tabindex="-1">${title}</h1>${sub && html`<p class="sub">${sub}</p>`}</div>
            ${actions && html`<div class="actions">${actions}</div>`}</div>
        ${children}</div>`;
}

export const Card = ({ title, aside, children, flush }) => html`<section class=${`card ${flush ? 'flush' : ''}`}>
    ${title && html`<div class="card-head"><h2>${title}</h2>${aside}</div>`}${children}</section>`;

export const Stat = ({ label, children, note }) => html`<div class="stat"><dt>${label}</dt><dd>${children}
    ${note && html`<span class="note">${note}</span>`}</dd></div>`;

export const Stats = ({ children }) => html`<dl class="stats">${children}</dl>`;

// rows: [[label, value], ...]
export const Facts = ({ rows }) => html`<dl class="facts">${rows.filter(Boolean).map(([label, value]) =>
    html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`;

export const Empty = ({ title, children }) => html`<div class="empty"><p class="strong">${title}</p>${children}</div>`;

export const Loading = () => html`<p class="loading" role="status"><span class="spinner" aria-hidden="true"></span> Loading</p>`;

export function ErrorBox({ error, again }) {
    if (!error)
        return null;
    return html`<div class="notice bad" role="alert"><p><strong>${error.title ?? 'That did not work'}.</strong> ${error.message}</p>
        ${error.request_id && html`<p class="note">Request ${error.request_id}</p>`}
        ${again && html`<button type="button" class="btn small" onClick=${again}>Try again</button>`}</div>`;
}

export const Notice = ({ tone = 'info', children }) => html`<div class=${`notice ${tone}`}>${children}</div>`;

// What a screen shows of `load` (useLoad): nothing yet, what went wrong, or its data; an error beside data keeps the data.
export function Loaded({ load, children }) {
    if (load.data === null)
        return load.error ? html`<${ErrorBox} error=${load.error} again=${load.reload} />` : html`<${Loading} />`;
    return html`<${ErrorBox} error=${load.error} again=${load.reload} />${children(load.data)}`;
}

// Parts of one screen, each with an address of its own: tabs: [[key, words], ...]; the first is the plain address.
export const Tabs = ({ label, tabs, at }) => html`<nav class="tabs" aria-label=${label}>${tabs.map(([key, words], i) => html`
    <a key=${key} href=${`${location.pathname}${i ? `?tab=${key}` : ''}`} aria-current=${key === at ? 'page' : undefined}>${words}</a>`)}</nav>`;

// tables

// columns: [{ title, of: row => cell, num, hide: 'phone' }]
export function Table({ label, columns, rows, keyOf, empty, caption }) {
    if (!rows.length && empty)
        return empty;
    return html`<div class="table" role="region" aria-label=${label} tabindex="0"><table>
        ${caption && html`<caption>${caption}</caption>`}
        <thead><tr>${columns.map((column) => html`<th scope="col" class=${cellClass(column)}>${column.title}</th>`)}</tr></thead>
        <tbody>${rows.map((row, i) => html`<tr key=${keyOf ? keyOf(row) : i}>${columns.map((column) =>
            html`<td class=${cellClass(column)}>${column.of(row, i)}</td>`)}</tr>`)}</tbody></table></div>`;
}

const cellClass = ({ num, hide }) => `${num ? 'num' : ''} ${hide ? `hide-${hide}` : ''}`.trim();

// forms

export function Field({ label, hint, error, children, id }) {
    return html`<div class=${`field ${error ? 'wrong' : ''}`}><label for=${id}>${label}</label>${children}
        ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
        ${error && html`<p class="error" id=${`${id}-error`}>${error}</p>`}</div>`;
}

const describedBy = (id, hint, error) => [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;

export function Input({ label, hint, error, value, onValue, type = 'text', ...rest }) {
    const id = useId('field');
    return html`<${Field} label=${label} hint=${hint} error=${error} id=${id}><input id=${id} type=${type} value=${value}
        aria-invalid=${error ? 'true' : undefined} aria-describedby=${describedBy(id, hint, error)}
        onInput=${(event) => onValue(event.target.value)} ...${rest} /></${Field}>`;
}

export function Area({ label, hint, error, value, onValue, ...rest }) {
    const id = useId('field');
    return html`<${Field} label=${label} hint=${hint} error=${error} id=${id}><textarea id=${id} value=${value}
        aria-invalid=${error ? 'true' : undefined} aria-describedby=${describedBy(id, hint, error)}
        onInput=${(event) => onValue(event.target.value)} ...${rest}></textarea></${Field}>`;
}

// options: [[value, words], ...]
export function Select({ label, hint, error, value, onValue, options, ...rest }) {
    const id = useId('field');
    return html`<${Field} label=${label} hint=${hint} error=${error} id=${id}><select id=${id} value=${value}
        aria-describedby=${describedBy(id, hint, error)} onChange=${(event) => onValue(event.target.value)} ...${rest}>
        ${options.map(([key, words]) => html`<option value=${key} selected=${key === value}>${words}</option>`)}</select></${Field}>`;
}

export const Check = ({ label, hint, checked, onValue, ...rest }) => html`<label class="check"><input type="checkbox" checked=${checked}
    onChange=${(event) => onValue(event.target.checked)} ...${rest} /><span>${label}${hint && html`<span class="note">${hint}</span>`}</span></label>`;

// One of several, each a card: options: [{ value, title, note, aside, disabled }]
export function Choice({ label, value, onValue, options }) {
    const name = useId('choice');
    return html`<fieldset class="choice"><legend>${label}</legend>${options.map((option) => html`
        <label class="option"><input type="radio" name=${name} value=${option.value} checked=${option.value === value}
            disabled=${option.disabled} onChange=${() => onValue(option.value)} />
            <span class="words"><strong>${option.title}</strong><span class="note">${option.note}</span></span>
            ${option.aside && html`<span class="aside">${option.aside}</span>`}</label>`)}</fieldset>`;
}

export const Submit = ({ busy, children, tone = 'primary', ...rest }) => html`<button type="submit" class=${`btn ${tone}`} disabled=${busy}
    aria-busy=${busy ? 'true' : undefined} ...${rest}>${busy && html`<span class="spinner" aria-hidden="true"></span>`}${children}</button>`;

// A form whose answer is awaited: `form` is useSubmit's, `values` what is sent, `done` called with the result.
export function Form({ form, values, done, button, tone, children, cancel }) {
    const send = async (event) => {
        event.preventDefault();
        const result = await form.submit(values);
        if (result !== undefined)
            done?.(result);
    };
    const fields = form.error?.errors?.length;
    return html`<form onSubmit=${send} novalidate>${children}
        ${form.error && html`<${ErrorBox} error=${fields ? { title: form.error.title, message: form.error.errors.map((e) => `${e.field}: ${e.detail}`).join('; ') } : form.error} />`}
        <div class="form-end"><${Submit} busy=${form.busy} tone=${tone}>${button}</${Submit}>
            ${cancel && html`<button type="button" class="btn" onClick=${cancel}>Cancel</button>`}</div></form>`;
}

// The browser's own modal dialog: it keeps the focus inside, Escape closes it, and the focus goes back to where it was.
export function Dialog({ title, onClose, children }) {
    const box = useRef(null), id = useId('dialog');
    useLayoutEffect(() => {
        const from = document.activeElement, dialog = box.current;
        dialog.showModal();
        return () => { dialog.close(); from?.focus?.(); };      // while it is modal nothing else takes the focus
    }, []);
    return html`<dialog ref=${box} aria-labelledby=${id} onClose=${onClose} onCancel=${onClose}>
        <div class="dialog-head"><h2 id=${id}>${title}</h2>
        <button type="button" class="btn quiet" aria-label="Close" onClick=${onClose}>✕</button></div>${children}</dialog>`;
}

// A button that opens a dialog: children is a function of `close`.
export function DialogButton({ label, title, tone = '', children, disabled }) {
    const [open, set] = useState(false);
    const close = () => set(false);
    return html`<button type="button" class=${`btn ${tone}`} disabled=${disabled} onClick=${() => set(true)}>${label}</button>
        ${open && html`<${Dialog} title=${title ?? label} onClose=${close}>${children(close)}</${Dialog}>`}`;
}

// notices that go by themselves

let tell = () => {};
export const toast = (words, tone = 'good') => tell({ words, tone, at: Date.now() });

export function Toasts() {
    const [list, set] = useState([]);
    useEffect(() => {
        tell = (one) => {
            set((was) => [...was, one]);
            setTimeout(() => set((was) => was.filter((other) => other !== one)), 6000);
        };
    }, []);
    return html`<div class="toasts" role="status" aria-live="polite">${list.map((one) =>
        html`<p key=${one.at} class=${`toast ${one.tone}`}>${one.words}</p>`)}</div>`;
}

// A part of a whole, told in words too.
export const Gauge = ({ label, share, words, tone }) => html`<div class="gauge">
    <div class="gauge-words"><span>${label}</span><span>${words}</span></div>
    <div class=${`gauge-bar ${tone ?? ''}`} role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(share * 100)}>
    <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect width=${share * 100} height="1" /></svg></div></div>`;

// Events brought to an address of the customer's: where to, what was sent, and sending it again.

import { get, post, remove, request } from '../lib/api.js';
import { Confirm, Once } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Away, Badge, Card, DialogButton, Empty, Form, Input, Loaded, Page, Table, Time, toast } from '../lib/ui.js';

function Create({ close, reload }) {
    const [values, set] = useState({ url: '', types: '' }), [made, keep] = useState(null);
    const form = useSubmit(({ url, types }, options) => post('/v1/webhooks', { url: url.trim(), ...(types.trim() && { types: types.split(/[ ,]+/).filter(Boolean) }) }, options));
    if (made)
        return html`<${Once} words="Each request is signed with this secret. It is shown only now." label="The secret" text=${made.secret} done=${() => { close(); reload(); }} />`;
    return html`<${Form} form=${form} values=${values} button="Create" cancel=${close} done=${keep}>
        <${Input} label="Address" type="url" placeholder="https://example.org/hook" value=${values.url} onValue=${(url) => set({ ...values, url })} error=${form.error?.of?.('url')} hint="https, at a public address." />
        <${Input} label="Only these events (may be left out)" placeholder="instance.*, invoice.issued" value=${values.types} onValue=${(types) => set({ ...values, types })} error=${form.error?.of?.('types')} /></${Form}>`;
}

const DELIVERIES = (hook, reload) => [
    { title: 'Event', of: (row) => html`${row.type} <span class="note">#${row.event_seq}</span>` },
    { title: 'State', of: (row) => html`<${Badge} of=${row.state} tone=${row.state === 'delivered' ? 'good' : row.state === 'failed' ? 'bad' : 'busy'} />` },
    { title: 'Answer', of: (row) => (row.attempts ? `${row.status || 'none'} after ${row.took_ms} ms${row.error ? `: ${row.error}` : ''}` : ''), hide: 'phone' },
    { title: 'Tried', of: (row) => html`<${Time} at=${row.tried_at} none="not yet" /><span class="note"> ${row.attempts} times</span>`, hide: 'phone' },
    { title: '', of: (row) => html`<${Again} hook=${hook} row=${row} reload=${reload} />`, num: true },
];

function Again({ hook, row, reload }) {
    const form = useSubmit((values, options) => post(`/v1/deliveries/${row.id}/redeliver`, undefined, options));
    return html`<button type="button" class="btn small" disabled=${form.busy} onClick=${async () => { if (await form.submit({ at: Date.now() }) !== undefined) reload(); }}>Send again</button>`;
}

function Deliveries({ hook }) {
    const load = useLoad((signal) => get(`/v1/webhooks/${hook.id}/deliveries?limit=50`, { signal }), [hook.id], 5);
    return html`<${Loaded} load=${load}>${({ data }) => html`<${Table} label="Deliveries" columns=${DELIVERIES(hook, load.reload)} rows=${data} keyOf=${(row) => row.id} empty=${html`<${Empty} title="Nothing was sent yet" />`} />`}</${Loaded}>`;
}

const Delete = ({ hook, reload }) => html`<${Confirm} label="Delete" title="Delete this webhook?" warning=${html`Nothing more is sent to <code>${hook.url}</code>.`} send=${() => remove(`/v1/webhooks/${hook.id}`)} done=${reload} />`;

function Hook({ hook, reload }) {
    const ping = useSubmit((values, options) => post(`/v1/webhooks/${hook.id}/ping`, undefined, options));
    const change = useSubmit(async ({ enabled }) => (await request('PATCH', `/v1/webhooks/${hook.id}`, { body: { enabled } })).json());
    return html`<${Card} title=${html`<code>${hook.url}</code>`} flush aside=${html`<div class="actions"><${Badge} of=${hook.enabled ? 'on' : 'off'} tone=${hook.enabled ? 'good' : 'plain'} />
        <button type="button" class="btn small" disabled=${ping.busy} onClick=${async () => { if (await ping.submit({ at: Date.now() }) !== undefined) toast('A ping is on its way'); }}>Ping</button>
        <button type="button" class="btn small" disabled=${change.busy} onClick=${async () => { if (await change.submit({ enabled: !hook.enabled })) reload(); }}>${hook.enabled ? 'Turn off' : 'Turn on'}</button>
        <${Delete} hook=${hook} reload=${reload} /></div>`}><p class="note inside">${hook.types.length ? hook.types.join(', ') : 'All events'}, since <${Away} at=${hook.created_at} /></p><${Deliveries} hook=${hook} /></${Card}>`;
}

export default function Webhooks() {
    const load = useLoad((signal) => get('/v1/webhooks', { signal }), []);
    return html`<${Page} title="Webhooks" sub="What happens is sent to you as it happens: signed, tried again for three days, and each attempt kept here."
        actions=${html`<${DialogButton} label="New webhook" tone="primary">${(close) => html`<${Create} close=${close} reload=${load.reload} />`}</${DialogButton}>`}>
        <${Loaded} load=${load}>${({ data }) => (data.length ? data.map((hook) => html`<${Hook} key=${hook.id} hook=${hook} reload=${load.reload} />`) :
            html`<${Card}><${Empty} title="No webhooks yet"><p>Give an address, and stop asking whether something has changed.</p></${Empty}></${Card}>`)}</${Loaded}></${Page}>`;
}

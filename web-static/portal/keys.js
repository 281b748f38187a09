// API keys: what each may do, until when; the text is shown once.

import { get, post, remove } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Badge, Card, Check, Code, DialogButton, Empty, Form, Input, Loaded, Notice, Page, Select, Table, Time } from '../lib/ui.js';

const SCOPES = ['account:read', 'instances:read', 'instances:write', 'billing:read', 'billing:write', 'keys:read', 'keys:write', 'volumes:read', 'volumes:write',
    'networks:read', 'networks:write', 'ssh_keys:read', 'ssh_keys:write', 'webhooks:read', 'webhooks:write'];
const LIFETIMES = [['', 'Never'], [String(86400), 'In a day'], [String(30 * 86400), 'In 30 days'], [String(90 * 86400), 'In 90 days'], [String(365 * 86400), 'In a year']];

function Made({ made, close }) {
    return html`<div class="secret"><${Notice} tone="busy"><p>This is the only time that the key is shown. Put it where you keep secrets.</p></${Notice}><${Code} label="The new key" text=${made.key} />
        <div><button type="button" class="btn primary" onClick=${close}>Done</button></div></div>`;
}

function Create({ close, reload }) {
    const [values, set] = useState({ name: '', scopes: ['instances:read', 'billing:read'], lifetime: String(90 * 86400) }), [made, keep] = useState(null);
    const form = useSubmit(({ name, scopes, lifetime }, options) => post('/v1/keys', { name, scopes, ...(lifetime && { expires_in_seconds: Number(lifetime) }) }, options));
    const toggle = (scope, on) => set({ ...values, scopes: on ? [...values.scopes, scope] : values.scopes.filter((one) => one !== scope) });
    if (made)
        return html`<${Made} made=${made} close=${close} />`;
    return html`<${Form} form=${form} values=${values} button="Create key" cancel=${close} done=${(key) => { keep(key); reload(); }}>
        <${Input} label="Name" value=${values.name} onValue=${(name) => set({ ...values, name })} error=${form.error?.of?.('name')} placeholder="What it is for" autocomplete="off" />
        <fieldset class="stack"><legend>What it may do</legend><div class="checks">${SCOPES.map((scope) => html`<${Check} key=${scope} label=${scope} checked=${values.scopes.includes(scope)} onValue=${(on) => toggle(scope, on)} />`)}</div></fieldset>
        <${Select} label="Expires" value=${values.lifetime} options=${LIFETIMES} onValue=${(lifetime) => set({ ...values, lifetime })} /></${Form}>`;
}

function Revoke({ row, reload }) {
    const form = useSubmit(() => remove(`/v1/keys/${row.id}`));
    return html`<${DialogButton} label="Revoke" tone="small" title=${`Revoke ${row.name}?`}>${(close) => html`<${Form} form=${form} values=${{}} tone="danger" button="Revoke" cancel=${close} done=${() => { close(); reload(); }}>
        <p>Whoever uses it is refused from now on. This cannot be undone.</p></${Form}>`}</${DialogButton}>`;
}

const stateOf = (row) => (row.revoked_at ? 'revoked' : row.expires_at && Date.parse(row.expires_at) < Date.now() ? 'expired' : 'active');

export default function Keys() {
    const load = useLoad((signal) => get('/v1/keys', { signal }), []);
    const add = html`<${DialogButton} label="New API key" tone="primary">${(close) => html`<${Create} close=${close} reload=${load.reload} />`}</${DialogButton}>`;
    const columns = [
        { title: 'Name', of: (row) => html`${row.name}<br /><code class="muted">${row.id}</code>` },
        { title: 'May', of: (row) => html`<span class="muted">${row.scopes.length === SCOPES.length ? 'everything' : row.scopes.join(', ')}</span>`, hide: 'phone' },
        { title: 'Expires', of: (row) => html`<${Time} at=${row.expires_at} />`, hide: 'phone' },
        { title: 'State', of: (row) => html`<${Badge} of=${stateOf(row)} />` },
        { title: '', of: (row) => stateOf(row) === 'active' && html`<${Revoke} row=${row} reload=${load.reload} />`, num: true },
    ];
    return html`<${Page} title="API keys" sub="For programs and for the xs command line. Give each only what it needs." actions=${add}>
        <${Loaded} load=${load}>${({ data }) => html`<${Card} flush><${Table} label="API keys" columns=${columns} rows=${data} keyOf=${(row) => row.id} empty=${html`<${Empty} title="No keys yet" />`} /></${Card}>`}</${Loaded}></${Page}>`;
}

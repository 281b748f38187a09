// API keys: what each may do, until when; the text is shown once.

import { get, post, remove } from '../lib/api.js';
import { Confirm, Once } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Pager, pageOf } from '../lib/pager.js';
import { query, usePath } from '../lib/router.js';
import { Badge, Card, Check, DialogButton, Empty, Form, Input, Loaded, Page, Select, Table, Time } from '../lib/ui.js';
import { isWide, may } from './may.js';

const PAGE = 50;
const SCOPES = ['account:read', 'instances:read', 'instances:write', 'billing:read', 'billing:write', 'keys:read', 'keys:write', 'volumes:read', 'volumes:write',
    'networks:read', 'networks:write', 'ssh_keys:read', 'ssh_keys:write', 'webhooks:read', 'webhooks:write', 'projects:read', 'projects:write'];
const LIFETIMES = [['', 'Never'], [String(86400), 'In a day'], [String(30 * 86400), 'In 30 days'], [String(90 * 86400), 'In 90 days'], [String(365 * 86400), 'In a year']];

const Made = ({ made, close }) => html`<${Once} words="This is the only time that the key is shown. Put it where you keep secrets." label="The new key" text=${made.key} done=${close} />`;

const words = (text) => text.split(/[ ,]+/).filter(Boolean);

function Create({ session, projects, close, reload }) {
    const offered = SCOPES.filter((scope) => may(session, scope));
    const [values, set] = useState({ name: '', scopes: offered.filter((scope) => ['instances:read', 'billing:read'].includes(scope)), lifetime: String(90 * 86400), addresses: '', spend_limit: '', project: '' }), [made, keep] = useState(null);
    const form = useSubmit(({ name, scopes, lifetime, addresses, spend_limit, project }, options) => post('/v1/keys', { name, scopes, ...(lifetime && { expires_in_seconds: Number(lifetime) }),
        ...(addresses.trim() && { addresses: words(addresses) }), ...(spend_limit.trim() && { spend_limit: spend_limit.trim() }), ...(project && { project_id: project }) }, options));
    const toggle = (scope, on) => set({ ...values, scopes: on ? [...values.scopes, scope] : values.scopes.filter((one) => one !== scope) });
    if (made)
        return html`<${Made} made=${made} close=${close} />`;
    return html`<${Form} form=${form} values=${values} button="Create key" cancel=${close} done=${(key) => { keep(key); reload(); }}>
        <${Input} label="Name" value=${values.name} onValue=${(name) => set({ ...values, name })} error=${form.error?.of?.('name')} placeholder="What it is for" autocomplete="off" />
        <fieldset class="stack"><legend>What it may do</legend><div class="checks">${offered.map((scope) => html`<${Check} key=${scope} label=${scope} checked=${values.scopes.includes(scope)} onValue=${(on) => toggle(scope, on)} />`)}</div></fieldset>
        <${Select} label="Expires" value=${values.lifetime} options=${LIFETIMES} onValue=${(lifetime) => set({ ...values, lifetime })} />
        ${projects.length > 1 && html`<${Select} label="For" value=${values.project} options=${[['', isWide(session) ? 'The whole account, or the project chosen above' : 'The project chosen above'], ...projects.map((one) => [one.id, `Project ${one.name}`])]} onValue=${(project) => set({ ...values, project })} error=${form.error?.of?.('project_id')} />`}
        <${Input} label="Only from these addresses (may be left out)" placeholder="192.0.2.0/24, 2001:db8::1" value=${values.addresses} onValue=${(addresses) => set({ ...values, addresses })} error=${form.error?.of?.('addresses')} autocomplete="off" />
        <${Input} label="At most so much a month (may be left out)" inputmode="decimal" placeholder="50.00" value=${values.spend_limit} onValue=${(spend_limit) => set({ ...values, spend_limit })} error=${form.error?.of?.('spend_limit')} hint="What may be set aside for instances that it makes." autocomplete="off" /></${Form}>`;
}

const Revoke = ({ row, reload }) => html`<${Confirm} label="Revoke" title=${`Revoke ${row.name}?`} warning="Whoever uses it is refused from now on. This cannot be undone." send=${() => remove(`/v1/keys/${row.id}`)} done=${reload} />`;

const stateOf = (row) => (row.revoked_at ? 'revoked' : row.expires_at && Date.parse(row.expires_at) < Date.now() ? 'expired' : 'active');

const boundTo = (row, projects) => [row.project_id && `project ${projects.find((one) => one.id === row.project_id)?.name ?? row.project_id}`, row.addresses.length && `from ${row.addresses.join(', ')}`,
    row.spend_limit && `${row.spend_limit} a month`].filter(Boolean).join('; ');

export default function Keys({ session }) {
    usePath();
    const { after } = query(), write = may(session, 'keys:write');
    const load = useLoad(async (signal) => {
        const [keys, projects] = await Promise.all([`/v1/keys?limit=${PAGE}${pageOf(after)}`, '/v1/projects'].map((path) => get(path, { signal })));
        return { keys: keys.data, next: keys.next_cursor, projects: projects.data };
    }, [after]);
    const add = write && load.data && html`<${DialogButton} label="New API key" tone="primary">${(close) => html`<${Create} session=${session} projects=${load.data.projects} close=${close} reload=${load.reload} />`}</${DialogButton}>`;
    const columns = (projects) => [
        { title: 'Name', of: (row) => html`${row.name}<br /><code class="muted">${row.id}</code>` },
        { title: 'May', of: (row) => html`<span class="muted">${row.scopes.length === SCOPES.length ? 'everything' : row.scopes.join(', ')}</span>${boundTo(row, projects) && html`<br /><span class="note">Only ${boundTo(row, projects)}</span>`}`, hide: 'phone' },
        { title: 'Expires', of: (row) => html`<${Time} at=${row.expires_at} />`, hide: 'phone' },
        { title: 'State', of: (row) => html`<${Badge} of=${stateOf(row)} />` },
        { title: '', of: (row) => write && stateOf(row) === 'active' && html`<${Revoke} row=${row} reload=${load.reload} />`, num: true },
    ];
    return html`<${Page} title="API keys" sub="For programs and for the xs command line. Give each only what it needs." actions=${add}>
        <${Loaded} load=${load}>${({ keys, next, projects }) => html`<${Card} flush><${Table} label="API keys" columns=${columns(projects)} rows=${keys} keyOf=${(row) => row.id} empty=${html`<${Empty} title="No keys yet" />`} /></${Card}>
            <${Pager} after=${after} next=${next} first="Newest" more="Older" />`}</${Loaded}></${Page}>`;
}

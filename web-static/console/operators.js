// Who runs this host, what each may, and the keys that they use.

import { get, post, put, remove } from '../lib/api.js';
import { Confirm, Once } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Badge, Card, DialogButton, Form, Input, Loaded, Page, Select, Table, Time, toast } from '../lib/ui.js';
import { For, may } from './roles.js';

const ROLES = [['view', 'View: look at everything'], ['support', 'Support: and help customers'], ['billing', 'Billing: and move money'], ['admin', 'Admin: and prices and operators']];

const LINK = 'Give this link to its person by a way that you trust. It sets a password, works once, for a day, and is shown only now.';

function Create({ close, reload }) {
    const [values, set] = useState({ name: '', role: 'view' }), [made, keep] = useState(null), form = useSubmit((body, options) => post('/v1/admin/operators', body, options));
    if (made)
        return html`<${Once} label="The secret" words=${LINK} text=${location.origin + made.path} done=${() => { close(); reload(); }} />`;
    return html`<${Form} form=${form} values=${values} button="Create" cancel=${close} done=${keep}><${Input} label="Name" value=${values.name} onValue=${(name) => set({ ...values, name })} error=${form.error?.of?.('name')} hint="What they log in with." />
        <${Select} label="Role" value=${values.role} options=${ROLES} onValue=${(role) => set({ ...values, role })} /></${Form}>`;
}

function NewKey({ row, close, reload }) {
    const [name, set] = useState(''), [made, keep] = useState(null), form = useSubmit((body, options) => post(`/v1/admin/operators/${row.id}/keys`, body, options));
    if (made)
        return html`<${Once} label="The secret" words="This is the only time that the key is shown." text=${made.key} done=${() => { close(); reload(); }} />`;
    return html`<${Form} form=${form} values=${{ name }} button="Make key" cancel=${close} done=${keep}><${Input} label="Name" value=${name} onValue=${set} error=${form.error?.of?.('name')} placeholder="What it is for" /></${Form}>`;
}

function NewLink({ row, close }) {
    const [made, keep] = useState(null), form = useSubmit((body, options) => post(`/v1/admin/operators/${row.id}/password_reset`, {}, options));
    return made ? html`<${Once} label="The secret" words=${LINK} text=${location.origin + made.path} done=${close} />` : html`<${Form} form=${form} values=${{}} button="Make the link" cancel=${close} done=${keep}>
        <p>Whoever opens it sets a new password for ${row.name}; open sessions end.</p></${Form}>`;
}

const Revoke = ({ row, reload }) => html`<${Confirm} label="Revoke" title=${`Revoke ${row.name}?`} send=${() => remove(`/v1/admin/operators/${row.id}`)} done=${() => { toast('Revoked'); reload(); }}
    warning="Whoever uses it is refused from now on. What was done with it stays in the books under its id." />`;

function Role({ row, close, reload }) {
    const [role, set] = useState(row.role), form = useSubmit((body) => put(`/v1/admin/operators/${row.id}/role`, body));
    return html`<${Form} form=${form} values=${{ role }} button="Change" cancel=${close} done=${() => { close(); toast(`${row.name}: ${role}`); reload(); }}>
        <p>It holds at once, for open sessions and for keys too.</p><${Select} label="Role" value=${role} options=${ROLES} onValue=${set} /></${Form}>`;
}

const Person = ({ row, reload }) => row.type === 'person' && html`<${DialogButton} label="Role" tone="small" title=${`The role of ${row.name}`}>${(close) => html`<${Role} row=${row} close=${close} reload=${reload} />`}</${DialogButton}>
    <${DialogButton} label="New key" tone="small" title=${`A key for ${row.name}`}>${(close) => html`<${NewKey} row=${row} close=${close} reload=${reload} />`}</${DialogButton}>
    <${DialogButton} label="New password" tone="small" title="A new password">${(close) => html`<${NewLink} row=${row} close=${close} />`}</${DialogButton}>`;

const columns = (reload) => [
    { title: 'Name', of: (row) => html`${row.name}<br /><code class="muted hide-phone">${row.id}</code>` },
    { title: 'Kind', of: (row) => (row.type === 'key' ? 'a key' : row.totp ? 'a person' : 'a person, no second factor yet'), hide: 'phone' },
    { title: 'Role', of: (row) => row.role }, { title: 'Since', of: (row) => html`<${Time} at=${row.created_at} />`, hide: 'phone' },
    { title: 'State', of: (row) => html`<${Badge} of=${row.revoked_at ? 'revoked' : 'active'} />`, hide: 'phone' },
    { title: '', of: (row) => !row.revoked_at && may('admin') && html`<span class="actions"><${Person} row=${row} reload=${reload} /><${Revoke} row=${row} reload=${reload} /></span>`, num: true },
];

export default function Operators() {
    const load = useLoad((signal) => get('/v1/admin/operators', { signal }), []);
    return html`<${Page} title="Operators" sub="What each does stands in the books with their id. Prices take two persons." actions=${html`<${For} role="admin" to="Making operators"><${DialogButton} label="New operator" tone="primary">${(close) => html`<${Create} close=${close} reload=${load.reload} />`}</${DialogButton}></${For}>`}>
        <${Loaded} load=${load}>${({ data }) => html`<${Card} flush><${Table} label="Operators" columns=${columns(load.reload)} rows=${data} keyOf=${(row) => row.id} /></${Card}>`}</${Loaded}></${Page}>`;
}

// Projects: what the account's things are kept apart in.

import { get, post, remove, request } from '../lib/api.js';
import { Confirm } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Away, Badge, Card, DialogButton, Form, Input, Loaded, Page, Table } from '../lib/ui.js';
import { mayWide } from './may.js';

function Naming({ was, button, send, close, done }) {
    const [name, set] = useState(was);
    const form = useSubmit(send);
    return html`<${Form} form=${form} values=${{ name }} button=${button} cancel=${close} done=${() => { close(); done(); }}>
        <${Input} label="Name" value=${name} onValue=${set} error=${form.error?.of?.('name')} hint="Small letters, digits and hyphens." autocomplete="off" /></${Form}>`;
}

const rename = (id) => async (body) => (await request('PATCH', `/v1/projects/${id}`, { body })).json();

export default function Projects({ session, changed }) {
    const load = useLoad((signal) => get('/v1/projects', { signal }), []);
    const write = mayWide(session, 'projects:write');
    const again = () => { load.reload(); changed(); };
    const columns = [
        { title: 'Name', of: (row) => html`${row.name} ${row.default && html`<${Badge} of="first" tone="plain" />`}` },
        { title: 'Id', of: (row) => html`<code>${row.id}</code>`, hide: 'phone' },
        { title: 'Since', of: (row) => html`<${Away} at=${row.created_at} />`, hide: 'phone' },
        write && { title: '', num: true, of: (row) => html`<div class="actions"><${DialogButton} label="Rename" tone="small" title=${`Rename ${row.name}`}>${(close) => html`<${Naming} was=${row.name} button="Rename" send=${rename(row.id)} close=${close} done=${again} />`}</${DialogButton}>
            ${!row.default && html`<${Confirm} label="Delete" title=${`Delete ${row.name}?`} warning="It must be empty. Whoever is a member of nothing else can no longer log in." send=${() => remove(`/v1/projects/${row.id}`)} done=${again} />`}</div>` },
    ].filter(Boolean);
    return html`<${Page} title="Projects" sub="Instances, volumes, snapshots and keys are in one. Money is the account's."
        actions=${write && html`<${DialogButton} label="New project" tone="primary">${(close) => html`<${Naming} was="" button="Create" send=${(body, options) => post('/v1/projects', body, options)} close=${close} done=${again} />`}</${DialogButton}>`}>
        <${Loaded} load=${load}>${({ data }) => html`<${Card} flush><${Table} label="Projects" columns=${columns} rows=${data} keyOf=${(row) => row.id} /></${Card}>`}</${Loaded}></${Page}>`;
}

// Who runs this host, and the keys that they use.

import { get, post, remove } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Badge, Card, Code, DialogButton, Form, Input, Loaded, Notice, Page, Table, Time, toast } from '../lib/ui.js';

function Create({ close, reload }) {
    const [name, set] = useState(''), [made, keep] = useState(null), form = useSubmit((body, options) => post('/v1/admin/operators', body, options));
    if (made)
        return html`<div class="secret"><${Notice} tone="busy"><p>This is shown only now. Give it to ${made.name} by a way that you trust.</p></${Notice}><${Code} label="The secret" text=${made.key ?? location.origin + made.path} />
            <div><button type="button" class="btn primary" onClick=${() => { close(); reload(); }}>Done</button></div></div>`;
    return html`<${Form} form=${form} values=${{ name }} button="Create" cancel=${close} done=${keep}><${Input} label="Name" value=${name} onValue=${set} error=${form.error?.of?.('name')} /></${Form}>`;
}

function Revoke({ row, reload }) {
    const form = useSubmit(() => remove(`/v1/admin/operators/${row.id}`));
    return html`<${DialogButton} label="Revoke" tone="small" title=${`Revoke ${row.name}?`}>${(close) => html`<${Form} form=${form} values=${{}} tone="danger" button="Revoke" cancel=${close} done=${() => { close(); toast('Revoked'); reload(); }}>
        <p>Whoever uses it is refused from now on. What was done with it stays in the books under its id.</p></${Form}>`}</${DialogButton}>`;
}

const columns = (reload) => [
    { title: 'Name', of: (row) => row.name }, { title: 'Id', of: (row) => html`<code>${row.id}</code>`, hide: 'phone' }, { title: 'Since', of: (row) => html`<${Time} at=${row.created_at} />`, hide: 'phone' },
    { title: 'State', of: (row) => html`<${Badge} of=${row.revoked_at ? 'revoked' : 'active'} />` },
    { title: '', of: (row) => !row.revoked_at && html`<${Revoke} row=${row} reload=${reload} />`, num: true },
];

export default function Operators() {
    const load = useLoad((signal) => get('/v1/admin/operators', { signal }), []);
    return html`<${Page} title="Operators" sub="What each does stands in the books with their id. Prices take two of them." actions=${html`<${DialogButton} label="New operator" tone="primary">${(close) => html`<${Create} close=${close} reload=${load.reload} />`}</${DialogButton}>`}>
        <${Loaded} load=${load}>${({ data }) => html`<${Card} flush><${Table} label="Operators" columns=${columns(load.reload)} rows=${data} keyOf=${(row) => row.id} /></${Card}>`}</${Loaded}></${Page}>`;
}

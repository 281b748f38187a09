// SSH keys that new instances can be given.

import { get, post, remove } from '../lib/api.js';
import { Confirm } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Area, Card, DialogButton, Empty, Form, Input, Loaded, Page, Table, Time, toast } from '../lib/ui.js';

function Add({ close, reload }) {
    const [values, set] = useState({ name: '', public_key: '' });
    const form = useSubmit((body, options) => post('/v1/ssh_keys', { ...body, public_key: body.public_key.trim() }, options));
    return html`<${Form} form=${form} values=${values} button="Add key" cancel=${close} done=${(key) => { close(); toast(`${key.name} was added`); reload(); }}>
        <${Input} label="Name" value=${values.name} onValue=${(name) => set({ ...values, name })} error=${form.error?.of?.('name')} hint="Small letters, digits and hyphens." autocomplete="off" />
        <${Area} label="Public key" value=${values.public_key} onValue=${(public_key) => set({ ...values, public_key })} error=${form.error?.of?.('public_key')}
            placeholder="ssh-ed25519 AAAA…" hint="The line of a .pub file, such as ~/.ssh/id_ed25519.pub." spellcheck="false" /></${Form}>`;
}

const Delete = ({ row, reload }) => html`<${Confirm} label="Delete" title=${`Delete ${row.name}?`} warning="New instances can no longer be given it. Instances that have it keep it." send=${() => remove(`/v1/ssh_keys/${row.id}`)} done=${reload} />`;

export default function SshKeys() {
    const load = useLoad((signal) => get('/v1/ssh_keys', { signal }), []);
    const add = html`<${DialogButton} label="Add an SSH key" tone="primary">${(close) => html`<${Add} close=${close} reload=${load.reload} />`}</${DialogButton}>`;
    const columns = [
        { title: 'Name', of: (row) => row.name },
        { title: 'Type', of: (row) => `${row.type}, ${row.bits} bits`, hide: 'phone' },
        { title: 'Fingerprint', of: (row) => html`<code>${row.fingerprint}</code>`, hide: 'phone' },
        { title: 'Added', of: (row) => html`<${Time} at=${row.created_at} />`, hide: 'phone' },
        { title: '', of: (row) => html`<${Delete} row=${row} reload=${load.reload} />`, num: true },
    ];
    return html`<${Page} title="SSH keys" sub="New instances let in who holds one of the keys that they were given." actions=${add}>
        <${Loaded} load=${load}>${({ data }) => html`<${Card} flush><${Table} label="SSH keys" columns=${columns} rows=${data} keyOf=${(row) => row.id}
            empty=${html`<${Empty} title="No SSH keys yet"><p>Add the public half of yours to log in to your instances.</p></${Empty}>`} /></${Card}>`}</${Loaded}></${Page}>`;
}

// What both kinds of people change about their own logins: the password, and where they are logged in. `at` is what the
// paths begin with: /v1 for customers, /v1/admin for operators.

import { post, remove } from './api.js';
import { html, useState } from './html.js';
import { useSubmit } from './load.js';
import { Away, Badge, Card, Form, Input, Table, toast } from './ui.js';

export function Password({ at }) {
    const [values, set] = useState({ password: '', new_password: '' });
    const form = useSubmit((body, options) => post(`${at}/user/password`, body, options));
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }), error: form.error?.of?.(name) });
    return html`<${Card} title="Password"><${Form} form=${form} values=${values} button="Change password" done=${() => { set({ password: '', new_password: '' }); toast('The password is changed; other sessions have ended'); }}>
        <${Input} label="Password now" type="password" autocomplete="current-password" ...${field('password')} />
        <${Input} label="New password" type="password" autocomplete="new-password" hint="12 characters or more" ...${field('new_password')} /></${Form}></${Card}>`;
}

function End({ at, row, reload }) {
    const form = useSubmit(() => remove(`${at}/sessions/${row.id}`));
    return html`<button type="button" class="btn small" disabled=${form.busy} onClick=${async () => { if (await form.submit({}) !== undefined) reload(); }}>End</button>`;
}

const columns = (at, reload) => [
    { title: 'Browser', of: (row) => html`${row.agent || 'unknown'} ${row.current && html`<${Badge} of="this one" tone="good" />`}` },
    { title: 'Address', of: (row) => row.address, hide: 'phone' },
    { title: 'Last used', of: (row) => html`<${Away} at=${row.seen_at} />` },
    { title: '', of: (row) => !row.current && html`<${End} at=${at} row=${row} reload=${reload} />`, num: true },
];

export const Sessions = ({ at, rows, reload }) => html`<${Card} title="Where you are logged in" flush><${Table} label="Sessions" columns=${columns(at, reload)} rows=${rows} keyOf=${(row) => row.id} /></${Card}>`;

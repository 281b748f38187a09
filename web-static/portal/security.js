// How one logs in: password, second factor, and where one is logged in now. For people; a key has none of it.

import { get, post, remove } from '../lib/api.js';
import { TurnOn } from '../lib/factor.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { restore, CUSTOMER } from '../lib/session.js';
import { Away, Badge, Card, DialogButton, Empty, Form, Input, Loaded, Page, Table, toast } from '../lib/ui.js';

function Password() {
    const [values, set] = useState({ password: '', new_password: '' });
    const form = useSubmit((body, options) => post('/v1/user/password', body, options));
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }), error: form.error?.of?.(name) });
    return html`<${Card} title="Password"><${Form} form=${form} values=${values} button="Change password" done=${() => { set({ password: '', new_password: '' }); toast('The password is changed; other sessions have ended'); }}>
        <${Input} label="Password now" type="password" autocomplete="current-password" ...${field('password')} />
        <${Input} label="New password" type="password" autocomplete="new-password" hint="12 characters or more" ...${field('new_password')} /></${Form}></${Card}>`;
}

function TurnOff({ close, changed }) {
    const [values, set] = useState({ password: '', code: '' });
    const form = useSubmit((body, options) => post('/v1/user/totp/remove', body, options));
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }), error: form.error?.of?.(name) });
    return html`<${Form} form=${form} values=${values} tone="danger" button="Turn off" cancel=${close} done=${() => { close(); changed(); }}>
        <${Input} label="Your password" type="password" autocomplete="current-password" ...${field('password')} /><${Input} label="Code" inputmode="numeric" autocomplete="one-time-code" ...${field('code')} /></${Form}>`;
}

const SecondFactor = ({ on, changed }) => html`<${Card} title="Second factor" aside=${html`<${Badge} of=${on ? 'on' : 'off'} tone=${on ? 'good' : 'plain'} />`}>
    <p>With it, logging in takes six digits of an authenticator beside the password, so that a stolen password is not enough.</p>
    <div>${on ? html`<${DialogButton} label="Turn off" title="Turn the second factor off?">${(close) => html`<${TurnOff} close=${close} changed=${changed} />`}</${DialogButton}>` :
        html`<${DialogButton} label="Turn on" title="A second factor" tone="primary">${(close) => html`<${TurnOn} path="/v1/user" cancel=${close} done=${() => { close(); changed(); }} />`}</${DialogButton}>`}</div></${Card}>`;

function End({ row, reload }) {
    const form = useSubmit(() => remove(`/v1/sessions/${row.id}`));
    return html`<button type="button" class="btn small" disabled=${form.busy} onClick=${async () => { if (await form.submit({}) !== undefined) reload(); }}>End</button>`;
}

const columns = (reload) => [
    { title: 'Browser', of: (row) => html`${row.agent || 'unknown'} ${row.current && html`<${Badge} of="this one" tone="good" />`}` },
    { title: 'Address', of: (row) => row.address, hide: 'phone' },
    { title: 'Last used', of: (row) => html`<${Away} at=${row.seen_at} />` },
    { title: '', of: (row) => !row.current && html`<${End} row=${row} reload=${reload} />`, num: true },
];

export default function Security({ session }) {
    const load = useLoad(async (signal) => {
        if (session.key)
            return { person: null };
        const [sessions, person] = await Promise.all([get('/v1/sessions', { signal }), restore(CUSTOMER)]);
        return { sessions: sessions.data, person };
    }, []);
    return html`<${Page} title="Security"><${Loaded} load=${load}>${({ person, sessions }) => (person ? html`
        <div class="columns two"><${Password} /><${SecondFactor} on=${person.user.totp} changed=${load.reload} /></div>
        <${Card} title="Where you are logged in" flush><${Table} label="Sessions" columns=${columns(load.reload)} rows=${sessions} keyOf=${(row) => row.id} /></${Card}>` :
        html`<${Card}><${Empty} title="You are here by an API key"><p>Passwords and sessions are those of people: log in with e-mail and password to see yours.</p></${Empty}></${Card}>`)}</${Loaded}></${Page}>`;
}

// How one logs in: password, second factor, and where one is logged in now. For people; a key has none of it.

import { get, post } from '../lib/api.js';
import { TurnOn } from '../lib/factor.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Password, Sessions } from '../lib/security.js';
import { restore, CUSTOMER } from '../lib/session.js';
import { Badge, Card, DialogButton, Empty, Form, Input, Loaded, Page } from '../lib/ui.js';
import { Unverified } from './verify.js';

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

export default function Security({ session }) {
    const load = useLoad(async (signal) => {
        if (session.key)
            return { person: null };
        const [sessions, person] = await Promise.all([get('/v1/sessions', { signal }), restore(CUSTOMER)]);
        return { sessions: sessions.data, person };
    }, []);
    return html`<${Page} title="Security"><${Loaded} load=${load}>${({ person, sessions }) => (person ? html`
        <${Unverified} session=${person} /><div class="columns two"><${Password} at="/v1" /><${SecondFactor} on=${person.user.totp} changed=${load.reload} /></div>
        <${Sessions} at="/v1" rows=${sessions} reload=${load.reload} />` :
        html`<${Card}><${Empty} title="You are here by an API key"><p>Passwords and sessions are those of people: log in with e-mail and password to see yours.</p></${Empty}></${Card}>`)}</${Loaded}></${Page}>`;
}

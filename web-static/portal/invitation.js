// The page behind an invitation's link: what it is to, and joining.

import { post } from '../lib/api.js';
import { html, useEffect, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { take } from '../lib/reset.js';
import { restore, CUSTOMER } from '../lib/session.js';
import { ErrorBox, Form, Input, Loaded, useId } from '../lib/ui.js';

const ROLES = { owner: 'an owner', admin: 'an admin', developer: 'a developer', billing: 'billing', viewer: 'a viewer' };

function Join({ token, offer, done }) {
    const [values, set] = useState({ name: '', password: '', code: '' });
    const form = useSubmit(async ({ name, password, code }, options) => {
        await post('/v1/invitations/accept', { token, password, ...(!offer.has_user && { name }), ...(code && { code }) }, { ...options, login: true });
        return restore(CUSTOMER);
    });
    const asked = form.error?.code === 'code_required' || values.code, shown = form.error?.code === 'code_required' ? { ...form, error: null } : form;
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }), error: form.error?.of?.(name) });
    return html`<p>As <strong>${offer.email}</strong> you become ${ROLES[offer.role]} of ${offer.project ? html`project <strong>${offer.project}</strong> of ` : ''}<strong>${offer.account}</strong>.</p>
        <${Form} form=${shown} values=${values} button="Join" done=${done}>${!offer.has_user && html`<${Input} label="Your name" autocomplete="name" ...${field('name')} />`}
        <${Input} label="Password" type="password" autocomplete=${offer.has_user ? 'current-password' : 'new-password'} hint=${offer.has_user ? 'The one that you log in with.' : '12 characters or more'} ...${field('password')} />
        ${asked && html`<${Input} label="Code" inputmode="numeric" autocomplete="one-time-code" ...${field('code')} />`}</${Form}>`;
}

export function Invitation({ done }) {
    const [token] = useState(take), id = useId('invitation');
    const load = useLoad(() => post('/v1/invitations/lookup', { token }, { login: true, idempotencyKey: null }), []);
    useEffect(() => { document.title = 'Invitation · XenoServer'; }, []);
    return html`<main class="login" id="main"><section class="card" aria-labelledby=${id}><div class="brand"><span class="mark" aria-hidden="true"></span>XenoServer</div><h1 id=${id}>You are invited</h1>
        ${token ? html`<${Loaded} load=${load}>${(offer) => html`<${Join} token=${token} offer=${offer} done=${done} />`}</${Loaded}>` :
        html`<${ErrorBox} error=${{ title: 'The link is not complete', message: 'Copy all of it, with what stands behind the #.' }} />`}</section></main>`;
}

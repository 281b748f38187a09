// Logging in, for both pages: name and password with a second factor, or a key.

import { html, useState } from './html.js';
import { useSubmit } from './load.js';
import { logIn, logInWithKey } from './session.js';
import { Form, Input, useId } from './ui.js';

function KeyForm({ realm, done }) {
    const [key, set] = useState('');
    const form = useSubmit((values) => logInWithKey(realm, values.key));
    return html`<${Form} form=${form} values=${{ key: key.trim() }} button="Log in" done=${done}>
        <${Input} label="API key" type="password" value=${key} onValue=${set} placeholder=${`${realm.prefix}…`} autocomplete="off"
            spellcheck="false" required hint="Kept in this page's memory until you leave it, and nowhere else." /></${Form}>`;
}

function PasswordForm({ realm, nameField, done }) {
    const [values, set] = useState({ [nameField.name]: '', password: '', code: '' });
    const form = useSubmit(({ code, ...rest }) => logIn(realm, code ? { ...rest, code: code.replaceAll(' ', '') } : rest));
    const asked = form.error?.code === 'code_required' || values.code;
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }) });
    const shown = form.error?.code === 'code_required' ? { ...form, error: null } : form;
    return html`<${Form} form=${shown} values=${values} button="Log in" done=${done}>
        <${Input} ...${nameField.input} ...${field(nameField.name)} required />
        <${Input} label="Password" type="password" autocomplete="current-password" ...${field('password')} required />
        ${asked && html`<${Input} label="Code" inputmode="numeric" autocomplete="one-time-code" autofocus ...${field('code')}
            hint="The six digits of your authenticator, or a recovery code." />`}</${Form}>`;
}

export function Login({ realm, title, words, nameField, done, children }) {
    const [byKey, set] = useState(false);
    const id = useId('login');
    return html`<main class="login" id="main"><section class="card" aria-labelledby=${id}>
        <div class="brand"><span class="mark" aria-hidden="true"></span>XenoServer</div>
        <h1 id=${id}>${title}</h1><p class="sub">${words}</p>
        ${byKey ? html`<${KeyForm} realm=${realm} done=${done} />` : html`<${PasswordForm} realm=${realm} nameField=${nameField} done=${done} />`}
        <p class="note"><button type="button" class="link" onClick=${() => set(!byKey)}>${byKey ? 'Log in with a password' : 'Log in with an API key'}</button></p>
        ${!byKey && children}</section></main>`;
}

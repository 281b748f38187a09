// A new password by a one-time link. Its token stands behind the "#", which browsers never send; it is taken out of the address
// at once, so that it stays in no history.

import { post } from './api.js';
import { html, useState } from './html.js';
import { useSubmit } from './load.js';
import { ErrorBox, Form, Input, useId } from './ui.js';

export function take() {
    const token = location.hash.slice(1);
    history.replaceState(null, '', location.pathname);
    return token;
}

export function NewPassword({ done, words }) {
    const [token] = useState(take), [password, set] = useState(''), id = useId('reset');
    const form = useSubmit((body, options) => post('/v1/password_resets', body, { ...options, login: true }));
    return html`<main class="login" id="main"><section class="card" aria-labelledby=${id}><div class="brand"><span class="mark" aria-hidden="true"></span>XenoServer</div>
        <h1 id=${id}>Set your password</h1><p class="sub">${words}</p>
        ${token ? html`<${Form} form=${form} values=${{ token, password }} button="Set password" done=${done}>
            <${Input} label="New password" type="password" autocomplete="new-password" hint="12 characters or more" value=${password} onValue=${set} error=${form.error?.of?.('password')} /></${Form}>` :
        html`<${ErrorBox} error=${{ title: 'The link is not complete', message: 'Copy all of it, with what stands behind the #.' }} />`}</section></main>`;
}

// Logging in and signing up.

import { post } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useSubmit } from '../lib/load.js';
import { Login } from '../lib/login.js';
import { go, segments, usePath } from '../lib/router.js';
import { NewPassword } from '../lib/reset.js';
import { CUSTOMER, restore } from '../lib/session.js';
import { ErrorBox, Form, Input, useId } from '../lib/ui.js';
import { Invitation } from './invitation.js';
import { Verify } from './verify.js';

const EMAIL = { name: 'email', input: { label: 'E-mail', type: 'email', autocomplete: 'username' } };

function SignUp({ done }) {
    const [values, set] = useState({ name: '', email: '', password: '' });
    const form = useSubmit(async (body, options) => {
        await post('/v1/signup', body, { ...options, login: true });
        return restore(CUSTOMER);
    });
    const id = useId('signup');
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }), error: form.error?.of?.(name) });
    return html`<main class="login" id="main"><section class="card" aria-labelledby=${id}>
        <div class="brand"><span class="mark" aria-hidden="true"></span>XenoServer</div>
        <h1 id=${id}>Create an account</h1><p class="sub">Pay by the second for what is used, with bills that you can check yourself.</p>
        <${Form} form=${form} values=${values} button="Create account" done=${done}>
            <${Input} label="Name" autocomplete="name" ...${field('name')} />
            <${Input} label="E-mail" type="email" autocomplete="username" ...${field('email')} />
            <${Input} label="Password" type="password" autocomplete="new-password" hint="12 characters or more" ...${field('password')} /></${Form}>
        <p class="note">Have an account? <a href="/portal/">Log in</a></p></section></main>`;
}

function Forgot() {
    const [email, set] = useState(''), [said, say] = useState(null), id = useId('forgot');
    const form = useSubmit((body, options) => post('/v1/password_resets/mail', body, { ...options, login: true }));
    return html`<main class="login" id="main"><section class="card" aria-labelledby=${id}><div class="brand"><span class="mark" aria-hidden="true"></span>XenoServer</div><h1 id=${id}>Forgot your password?</h1>
        ${said ? html`<p role="status">${said.mails ? 'If somebody here has this address, a link is on its way to it.' : 'This host sends no mails. Ask its operator for a link.'}</p>` :
        html`<${Form} form=${form} values=${{ email }} button="Send me a link" done=${say}><${Input} label="E-mail" type="email" autocomplete="username" value=${email} onValue=${set} error=${form.error?.of?.('email')} /></${Form}>`}
        <p class="note"><a href="/portal/">Back to the login</a></p></section></main>`;
}

export default function Enter({ error, done }) {
    usePath();
    if (segments()[0] === 'signup')
        return html`<${SignUp} done=${(session) => { go('/portal/', { replace: true }); done(session); }} />`;
    if (segments()[0] === 'reset')
        return html`<${NewPassword} words="Then log in with it. Sessions that were open end." done=${() => go('/portal/', { replace: true })} />`;
    if (segments()[0] === 'invitation')
        return html`<${Invitation} done=${(session) => { go('/portal/', { replace: true }); done(session); }} />`;
    if (segments()[0] === 'verify')
        return html`<${Verify} />`;
    if (segments()[0] === 'forgot')
        return html`<${Forgot} />`;
    const over = error && error.status !== 401;
    return html`<${Login} realm=${CUSTOMER} title="Log in" words="Instances by the second, bills that you can check yourself."
        nameField=${EMAIL} done=${done}>${over && html`<${ErrorBox} error=${error} />`}
        <p class="note"><a href="/portal/forgot">Forgot your password?</a></p><p class="note">New here? <a href="/portal/signup">Create an account</a></p></${Login}>`;
}

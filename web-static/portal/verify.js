// Behind a link that a mailbox was sent: opening it shows whose it is. And the notice that asks for it.

import { post } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { take } from '../lib/reset.js';
import { Loaded, Notice, useId } from '../lib/ui.js';

export function Verify() {
    const [token] = useState(take), id = useId('verify');
    const load = useLoad(async () => { await post('/v1/user/email/verify', { token }, { login: true, idempotencyKey: null }); return true; }, []);
    return html`<main class="login" id="main"><section class="card" aria-labelledby=${id}><div class="brand"><span class="mark" aria-hidden="true"></span>XenoServer</div>
        <h1 id=${id}>Your e-mail</h1><${Loaded} load=${load}>${() => html`<p role="status">Thank you: the address is yours.</p>`}</${Loaded}><p class="note"><a href="/portal/">Go on</a></p></section></main>`;
}

export function Unverified({ session }) {
    const [said, say] = useState(false), form = useSubmit(() => post('/v1/user/email/mail', undefined, { idempotencyKey: null }));
    if (!session.mails || session.user.email_verified)
        return null;
    return html`<${Notice}><p>${said ? `A link is on its way to ${session.user.email}.` : `Nobody has shown yet that ${session.user.email} is theirs: open the link in the mail.`}</p>
        ${!said && html`<button type="button" class="btn small" disabled=${form.busy} onClick=${async () => say(await form.submit({}) !== undefined)}>Send it again</button>`}</${Notice}>`;
}

// The second factor, for customers and operators alike: turning it on shows the secret, sees a code of it, and then shows the
// recovery codes, once. `path` is that of the person (/v1/user or /v1/admin/user).

import { post } from './api.js';
import { Once } from './confirm.js';
import { html, useState } from './html.js';
import { useSubmit } from './load.js';
import { Code, Form, Input } from './ui.js';

const RecoveryCodes = ({ codes, done }) => html`<${Once} label="Recovery codes" text=${codes.join('\n')} button="I have kept them" done=${done}
    words="Each of these logs you in once if your authenticator is lost. They are shown only now: print them, or keep them where you keep secrets." />`;

export function TurnOn({ path, cancel, done }) {
    const [password, setPassword] = useState(''), [offer, keep] = useState(null), [code, setCode] = useState(''), [codes, show] = useState(null);
    const begin = useSubmit((body, options) => post(`${path}/totp`, body, options));
    const confirm = useSubmit((body, options) => post(`${path}/totp/confirm`, body, options));
    if (codes)
        return html`<${RecoveryCodes} codes=${codes} done=${done} />`;
    if (!offer)
        return html`<${Form} form=${begin} values=${{ password }} button="Go on" cancel=${cancel} done=${keep}>
            <${Input} label="Your password" type="password" autocomplete="current-password" value=${password} onValue=${setPassword} error=${begin.error?.of?.('password')} /></${Form}>`;
    return html`<${Form} form=${confirm} values=${{ code: code.replaceAll(' ', '') }} button="Turn on" cancel=${cancel} done=${(answer) => show(answer.recovery_codes)}>
        <p>Add this secret to your authenticator (or <a href=${offer.uri}>open it there</a>), then type the six digits that it shows.</p><${Code} label="The secret" text=${offer.secret} />
        <${Input} label="Code" inputmode="numeric" autocomplete="one-time-code" value=${code} onValue=${setCode} error=${confirm.error?.of?.('code')} /></${Form}>`;
}

// How an operator logs in: the password, the second factor, which stays on, and where they are logged in now.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Password, Sessions } from '../lib/security.js';
import { Badge, Card, Empty, Loaded, Page } from '../lib/ui.js';

const SecondFactor = () => html`<${Card} title="Second factor" aside=${html`<${Badge} of="on" tone="good" />`}><p>Operators log in with an authenticator's code beside the password; it cannot be turned off.
    If the authenticator is lost, log in with a recovery code, or let an admin make a link that ends it.</p></${Card}>`;

export default function Security({ session }) {
    const load = useLoad((signal) => (session.operator ? get('/v1/admin/sessions', { signal }) : Promise.resolve({ data: null })), []);
    return html`<${Page} title="Security"><${Loaded} load=${load}>${({ data }) => (data ? html`<div class="columns two"><${Password} at="/v1/admin" /><${SecondFactor} /></div>
        <${Sessions} at="/v1/admin" rows=${data} reload=${load.reload} />` :
        html`<${Card}><${Empty} title="You are here by an API key"><p>Passwords and sessions are those of people: log in with name and password to see yours.</p></${Empty}></${Card}>`)}</${Loaded}></${Page}>`;
}

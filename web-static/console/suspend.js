// Suspending a customer or one instance, with a look at what it would stop; and letting it go on.

import { get, post } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Area, Badge, DialogButton, Form, Loaded, Money, Notice, toast } from '../lib/ui.js';

function Preview({ path }) {
    const load = useLoad((signal) => get(`/v1/admin/${path}/suspension`, { signal }), [path]);
    return html`<${Loaded} load=${load}>${({ instances, burn_per_hour: burn, uncharged, currency }) => html`
        <p>${instances.length ? `This pauses, at once:` : 'Nothing of it runs now. Nothing could be started.'}</p>
        ${instances.length > 0 && html`<ul class="checks-list">${instances.map((one) => html`<li key=${one.instance_id}><${Badge} of=${one.paused ? 'paused already' : 'runs'} tone=${one.paused ? 'plain' : 'good'} /><span><code>${one.instance_id}</code></span></li>`)}</ul>`}
        <p>All that the customer runs brings <${Money} amount=${burn} currency=${currency} /> an hour. <${Money} amount=${uncharged} currency=${currency} /> was used and is charged still; from then on nothing is billed.</p>
        <p>Memory and disks are kept, no grace runs and nothing is deleted. It lasts until an operator resumes.</p>`}</${Loaded}>`;
}

const words = (verb) => (verb === 'suspend' ? ['Suspend', 'danger', 'Suspended'] : ['Resume', '', 'Goes on']);

function Change({ path, verb, close, reload }) {
    const [reason, set] = useState(''), [label, tone, done] = words(verb);
    const form = useSubmit((body) => post(`/v1/admin/${path}/${verb}`, body));
    return html`<${Form} form=${form} values=${{ reason }} tone=${tone || 'primary'} button=${label} cancel=${close} done=${() => { close(); toast(done); reload(); }}>
        ${verb === 'suspend' && html`<${Preview} path=${path} />`}
        <${Area} label="Reason" value=${reason} onValue=${set} error=${form.error?.of?.('reason')} hint="For the audit log and other operators; the customer does not read it." /></${Form}>`;
}

// standing: the operator's suspension that there is, if any.
export function Suspend({ path, name, standing, reload }) {
    const verb = standing ? 'resume' : 'suspend', [label, tone] = words(verb);
    return html`<${DialogButton} label=${label} tone=${tone} title=${`${label} ${name}`}>${(close) => html`<${Change} path=${path} verb=${verb} close=${close} reload=${reload} />`}</${DialogButton}>`;
}

// Whose word a suspension is.
export const byWhom = ({ by, payer }) => (by === 'operator' ? 'an operator' : payer.startsWith('po:') ? 'the end of a purchase order' : 'the end of the wallet');

export const Standing = ({ standing }) => standing && html`<${Notice} tone="bad"><p><strong>Suspended by an operator.</strong> ${standing.reason} <code>${standing.operator}</code></p></${Notice}>`;

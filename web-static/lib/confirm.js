// What is asked before, and what is shown only once.

import { html } from './html.js';
import { useSubmit } from './load.js';
import { Code, DialogButton, Form, Notice } from './ui.js';

// A button that asks before it does: words, what it means, and what is sent.
export function Confirm({ label, title, warning, send, done, button = label }) {
    const form = useSubmit(send);
    return html`<${DialogButton} label=${label} tone="small" title=${title}>${(close) => html`<${Form} form=${form} values=${{}} tone="danger" button=${button} cancel=${close}
        done=${() => { close(); done(); }}><p>${warning}</p></${Form}>`}</${DialogButton}>`;
}

// A secret in the dialog that made it.
export const Once = ({ words, label, text, done, button = 'Done' }) => html`<div class="secret"><${Notice} tone="busy"><p>${words}</p></${Notice}><${Code} label=${label} text=${text} />
    <div><button type="button" class="btn primary" onClick=${done}>${button}</button></div></div>`;

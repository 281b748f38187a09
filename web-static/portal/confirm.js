// A button that asks before it does: words, what it means, and what is sent.

import { html } from '../lib/html.js';
import { useSubmit } from '../lib/load.js';
import { DialogButton, Form } from '../lib/ui.js';

export function Confirm({ label, title, warning, send, done }) {
    const form = useSubmit(send);
    return html`<${DialogButton} label=${label} tone="small" title=${title}>${(close) => html`<${Form} form=${form} values=${{}} tone="danger" button=${label} cancel=${close}
        done=${() => { close(); done(); }}><p>${warning}</p></${Form}>`}</${DialogButton}>`;
}

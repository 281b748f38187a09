// What a stopped instance can become: another size, or as new from an image.

import { get } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { DialogButton, Form, Loaded, Select, toast } from '../lib/ui.js';
import { acted } from './acted.js';

function Choice({ instance, type, field, words, now, options, close, reload, children }) {
    const [value, set] = useState(now);
    const form = useSubmit((values, more) => acted(instance.id, { type, ...values }, more));
    return html`<${Form} form=${form} values=${{ [field]: value }} tone=${type === 'rebuild' ? 'danger' : undefined} button=${words} cancel=${close}
        done=${() => { close(); toast(`${words}: done`); reload(); }}>
        <${Select} label=${type === 'resize' ? 'Size' : 'Image'} value=${value} options=${options} onValue=${set} error=${form.error?.of?.(field)} />${children}</${Form}>`;
}

function Body({ path, children }) {
    const load = useLoad((signal) => get(path, { signal }), [path]);
    return html`<${Loaded} load=${load}>${({ data }) => children(data)}</${Loaded}>`;
}

export const Resize = ({ instance, reload }) => html`<${DialogButton} label="Resize" title=${`Resize ${instance.name}`}>${(close) => html`<${Body} path="/v1/flavors">${(flavors) => html`
    <${Choice} instance=${instance} type="resize" field="flavor" words="Resize" now=${instance.flavor} close=${close} reload=${reload}
        options=${flavors.map((one) => [one.id, `${one.id}: ${one.vcpus} vCPU, ${one.memory_mib} MiB`])}>
        <p class="note">It starts with that size next time. Its disks stay as they are.</p></${Choice}>`}</${Body}>`}</${DialogButton}>`;

export const Rebuild = ({ instance, reload }) => html`<${DialogButton} label="Rebuild" title=${`Rebuild ${instance.name}?`}>${(close) => html`<${Body} path="/v1/images">${(images) => html`
    <${Choice} instance=${instance} type="rebuild" field="image" words="Rebuild" now=${instance.image} close=${close} reload=${reload}
        options=${images.filter((one) => one.available !== false).map((one) => [one.id, one.name])}>
        <p>Its own disk is made anew from the image, and everything on it is lost. Name, addresses, ports and attached volumes stay; so do snapshots.</p></${Choice}>`}</${Body}>`}</${DialogButton}>`;

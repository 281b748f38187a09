// All instances.

import { get } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Away, Card, Empty, Loaded, Page, State, Table } from '../lib/ui.js';
import { may } from './may.js';

const COLUMNS = [
    { title: 'Name', of: (row) => html`<a href=${`/portal/instances/${row.id}`}>${row.name}</a>` },
    { title: 'State', of: (row) => html`<${State} instance=${row} />` },
    { title: 'Image', of: (row) => row.image, hide: 'phone' },
    { title: 'Size', of: (row) => `${row.vcpus} vCPU, ${row.memory_mib} MiB`, hide: 'phone' },
    { title: 'Address', of: (row) => row.addresses.map((one) => one.ipv4).join(', ') || html`<span class="muted">none</span>`, hide: 'phone' },
    { title: 'Billed now', of: (row) => (row.meters_running === null ? html`<span class="muted">not known</span>` :
        row.meters_running.length ? `${row.meters_running.length} meters` : 'nothing') },
    { title: 'Created', of: (row) => html`<${Away} at=${row.created_at} />`, hide: 'phone' },
];

const create = (session) => may(session, 'instances:write') && html`<a class="btn primary" href="/portal/create">Create an instance</a>`;

export default function Instances({ session }) {
    const [word, set] = useState('');
    const load = useLoad((signal) => get('/v1/instances', { signal }), [], 60, /^(instance|action)[.]/);
    return html`<${Page} title="Instances" actions=${create(session)}><${Loaded} load=${load}>${({ data }) => html`<${Card} flush>
        ${data.length > 5 && html`<div class="card-head"><input type="search" aria-label="Find by name" placeholder="Find by name" value=${word}
            onInput=${(event) => set(event.target.value)} /></div>`}
        <${Table} label="Instances" columns=${COLUMNS} rows=${data.filter((row) => row.name.includes(word))} keyOf=${(row) => row.id}
            empty=${html`<${Empty} title=${word ? 'No instance has that name' : 'No instances yet'}>
            <p>An instance starts in seconds and is billed by the second.</p>${create(session)}</${Empty}>`} /></${Card}>`}</${Loaded}></${Page}>`;
}

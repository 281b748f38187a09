// Volumes: disks that outlive instances.

import { get, post, remove } from '../lib/api.js';
import { Confirm } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { bytes } from '../lib/meters.js';
import { Away, Badge, Card, Check, DialogButton, Empty, Form, Input, Loaded, Page, Select, Table, toast } from '../lib/ui.js';
import { acted } from './acted.js';
import { may } from './may.js';

const gib = (mib) => (mib % 1024 ? `${mib} MiB` : `${mib / 1024} GiB`);
const mib = (text) => Math.round(Number(text) * 1024);

function Create({ images, close, reload }) {
    const [values, set] = useState({ name: '', size: '10', image: '' });
    const form = useSubmit(({ name, size, image }, options) => post('/v1/volumes', { name, size_mib: mib(size), ...(image && { image }) }, options));
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }) });
    return html`<${Form} form=${form} values=${values} button="Create" cancel=${close} done=${(volume) => { close(); toast(`${volume.name} is there`); reload(); }}>
        <${Input} label="Name" hint="Small letters, digits and hyphens." autocomplete="off" error=${form.error?.of?.('name')} ...${field('name')} />
        <${Input} label="Size, GiB" type="number" min="1" error=${form.error?.of?.('size_mib')} ...${field('size')} />
        <${Select} label="Copied from" options=${[['', 'Nothing: it is empty'], ...images.filter((one) => one.boot === 'disk').map((one) => [one.id, one.name])]} ...${field('image')} /></${Form}>`;
}

function Attach({ volume, instances, reload }) {
    const [values, set] = useState({ instance: instances[0]?.id ?? '', read_only: false });
    const form = useSubmit(({ instance, read_only }, options) => acted(instance, { type: 'attach', volume_id: volume.id, read_only }, options));
    return html`<${DialogButton} label="Attach" tone="small" title=${`Attach ${volume.name}`} disabled=${!instances.length}>${(close) => html`<${Form} form=${form} values=${values} button="Attach" cancel=${close}
        done=${() => { close(); toast(`${volume.name} is attached`); reload(); }}>
        <${Select} label="To" value=${values.instance} options=${instances.map((one) => [one.id, `${one.name} (${one.state})`])} onValue=${(instance) => set({ ...values, instance })} />
        <${Check} label="Only to read" checked=${values.read_only} onValue=${(read_only) => set({ ...values, read_only })} /></${Form}>`}</${DialogButton}>`;
}

function Resize({ volume, reload }) {
    const [size, set] = useState(String(volume.size_mib / 1024));
    const form = useSubmit((values, options) => post(`/v1/volumes/${volume.id}/resize`, { size_mib: mib(values.size) }, options));
    return html`<${DialogButton} label="Grow" tone="small" title=${`Grow ${volume.name}`}>${(close) => html`<${Form} form=${form} values=${{ size }} button="Grow" cancel=${close}
        done=${() => { close(); reload(); }}><${Input} label="New size, GiB" type="number" min=${volume.size_mib / 1024} step="any" value=${size} onValue=${set} error=${form.error?.of?.('size_mib')} hint="A volume only grows." /></${Form}>`}</${DialogButton}>`;
}

function Snapshot({ volume }) {
    const [name, set] = useState('');
    const form = useSubmit((values, options) => post(`/v1/volumes/${volume.id}/snapshots`, values, options));
    return html`<${DialogButton} label="Snapshot" tone="small" title=${`A snapshot of ${volume.name}`}>${(close) => html`<${Form} form=${form} values=${{ name }} button="Make it" cancel=${close}
        done=${() => { close(); toast('The snapshot is kept'); }}><${Input} label="Name" value=${name} onValue=${set} error=${form.error?.of?.('name')} autocomplete="off"
        hint="Small letters, digits and hyphens." /><p class="note">It holds what is on the disk at this moment. What the guest has not written yet is not in it.</p></${Form}>`}</${DialogButton}>`;
}

const Detach = ({ volume, reload }) => html`<${Confirm} label="Detach" title=${`Detach ${volume.name}?`} warning="Unmount it in the guest first: what is not written is lost."
    send=${(values, options) => acted(volume.instance_id, { type: 'detach', volume_id: volume.id }, options)} done=${reload} />`;

const Actions = ({ volume, instances, reload }) => html`<div class="actions">
    ${volume.instance_id ? !volume.root && html`<${Detach} volume=${volume} reload=${reload} />` : html`<${Attach} volume=${volume} instances=${instances} reload=${reload} />`}
    <${Snapshot} volume=${volume} /><${Resize} volume=${volume} reload=${reload} />
    ${!volume.instance_id && html`<${Confirm} label="Delete" title=${`Delete ${volume.name}?`} warning="What is on it goes for ever. Snapshots of it stay."
        send=${() => remove(`/v1/volumes/${volume.id}`)} done=${reload} />`}</div>`;

export default function Volumes({ session }) {
    const load = useLoad(async (signal) => {
        const [volumes, instances, images] = await Promise.all(['/v1/volumes', '/v1/instances', '/v1/images'].map((path) => get(path, { signal })));
        return { volumes: volumes.data, instances: instances.data, images: images.data };
    }, [], 60, /^(instance|volume|action)[.]/);
    const write = may(session, 'volumes:write');
    const name = (id, instances) => instances.find((one) => one.id === id)?.name ?? id;
    const columns = ({ instances }) => [
        { title: 'Name', of: (row) => html`${row.name}${row.image && html`<span class="note"> from ${row.image}</span>`}` },
        { title: 'Size', of: (row) => gib(row.size_mib) },
        { title: 'On the disk', of: (row) => bytes(row.used_bytes), hide: 'phone' },
        { title: 'Attached to', of: (row) => (row.instance_id ? html`<a href=${`/portal/instances/${row.instance_id}`}>${name(row.instance_id, instances)}</a><span class="note"> ${row.device}${row.read_only ? ', only to read' : ''}</span>` : html`<span class="muted">nothing</span>`) },
        { title: 'State', of: (row) => html`<${Badge} of=${row.state} />`, hide: 'phone' },
        { title: 'Made', of: (row) => html`<${Away} at=${row.created_at} />`, hide: 'phone' },
        write && { title: '', of: (row) => html`<${Actions} volume=${row} instances=${instances} reload=${load.reload} />`, num: true },
    ].filter(Boolean);
    return html`<${Page} title="Volumes" sub="Disks that stay when an instance goes."
        actions=${write && load.data && html`<${DialogButton} label="New volume" tone="primary">${(close) => html`<${Create} images=${load.data.images} close=${close} reload=${load.reload} />`}</${DialogButton}>`}>
        <${Loaded} load=${load}>${(data) => html`<${Card} flush><${Table} label="Volumes" columns=${columns(data)} rows=${data.volumes} keyOf=${(row) => row.id}
            empty=${html`<${Empty} title="No volumes yet"><p>Make one, attach it to an instance, and keep it when the instance goes.</p></${Empty}>`} /></${Card}>`}</${Loaded}></${Page}>`;
}

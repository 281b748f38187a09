// Snapshots of volumes, and volumes made of them.

import { get, post, remove } from '../lib/api.js';
import { Confirm } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { go } from '../lib/router.js';
import { Away, Card, DialogButton, Empty, Form, Input, Loaded, Page, Table, toast } from '../lib/ui.js';
import { may } from './may.js';

function Restore({ snapshot }) {
    const [name, set] = useState('');
    const form = useSubmit((values, options) => post('/v1/volumes', { name: values.name, snapshot_id: snapshot.id }, options));
    return html`<${DialogButton} label="New volume of it" tone="small" title=${`A volume of ${snapshot.name}`}>${(close) => html`<${Form} form=${form} values=${{ name }} button="Create volume" cancel=${close}
        done=${(volume) => { toast(`${volume.name} is there`); go('/portal/volumes'); }}><${Input} label="Name" value=${name} onValue=${set} error=${form.error?.of?.('name')} autocomplete="off" hint="Small letters, digits and hyphens." /></${Form}>`}</${DialogButton}>`;
}

export default function Snapshots({ session }) {
    const load = useLoad(async (signal) => {
        const [snapshots, volumes] = await Promise.all(['/v1/snapshots', '/v1/volumes'].map((path) => get(path, { signal })));
        return { snapshots: snapshots.data, volumes: volumes.data };
    }, [], 60, /^(volume|snapshot)[.]/);
    const columns = ({ volumes }) => [
        { title: 'Name', of: (row) => row.name },
        { title: 'Of volume', of: (row) => volumes.find((one) => one.id === row.volume_id)?.name ?? html`<span class="muted">one that is gone</span>` },
        { title: 'Size', of: (row) => `${row.size_mib} MiB`, hide: 'phone' },
        { title: 'Made', of: (row) => html`<${Away} at=${row.created_at} />`, hide: 'phone' },
        may(session, 'volumes:write') && { title: '', num: true, of: (row) => html`<div class="actions"><${Restore} snapshot=${row} /><${Confirm} label="Delete" title=${`Delete ${row.name}?`}
            warning="It cannot be had again. Volumes that were made of it stay." send=${() => remove(`/v1/snapshots/${row.id}`)} done=${load.reload} /></div>` },
    ].filter(Boolean);
    return html`<${Page} title="Snapshots" sub=${html`What was on a volume at a moment. <a href="/portal/volumes">Volumes</a> make them.`}><${Loaded} load=${load}>${(data) => html`<${Card} flush>
        <${Table} label="Snapshots" columns=${columns(data)} rows=${data.snapshots} keyOf=${(row) => row.id} empty=${html`<${Empty} title="No snapshots yet"><p>A snapshot is made in an instant, and costs what differs.</p></${Empty}>`} /></${Card}>`}</${Loaded}></${Page}>`;
}

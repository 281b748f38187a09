// What was done to an instance, by request or of itself, and what came of it: the newest first.

import { get } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Badge, Card, Empty, Loaded, Money, Table, Time } from '../lib/ui.js';

const WORDS = { create: 'Created', start: 'Started', shutdown: 'Shut down', power_off: 'Powered off', reboot: 'Restarted', suspend: 'Suspended', resume: 'Resumed',
    delete: 'Deleted', attach: 'Volume attached', detach: 'Volume detached', grown: 'Volume grown', resize: 'Resized', rebuild: 'Rebuilt', ports: 'Ports changed',
    ended: 'The guest powered itself off', crashed: 'The guest crashed', looping: 'The guest restarted again and again', restart: 'The guest restarted itself',
    unpaid_stop: 'Powered off: the money was gone', unpaid_delete: 'Deleted: the money was gone' };

const seconds = ({ started_at, finished_at }) => (started_at && finished_at ? `${((new Date(finished_at) - new Date(started_at)) / 1000).toFixed(1)} s` : '');

const columns = (currency) => [
    { title: 'When', of: (row) => html`<${Time} at=${row.created_at} />` },
    { title: 'What', of: (row) => html`${WORDS[row.type] ?? row.type}${row.error && html`<div class="note">${row.error.detail}</div>`}` },
    { title: 'Result', of: (row) => html`<${Badge} of=${row.status} />` },
    { title: 'Cost', num: true, of: (row) => (row.cost === null ? '' : html`<${Money} amount=${row.cost} currency=${currency} />`) },
    { title: 'Took', num: true, hide: 'phone', of: seconds },
];

const PAGE = 10;
const page = (id, after, options) => get(`/v1/instances/${id}/actions?limit=${PAGE}${after ? `&after=${after}` : ''}`, options);

// `older`: what was asked for below the first page, which alone stays live.
function Rows({ id, first, currency }) {
    const [older, set] = useState(null);
    const next = older ? older.next : first.next_cursor;
    const form = useSubmit(() => page(id, next));
    const rows = [...first.data, ...(older?.rows ?? []).filter((row) => !first.data.some((one) => one.id === row.id))];
    return html`<${Table} label="What was done" columns=${columns(currency)} rows=${rows} keyOf=${(row) => row.id} empty=${html`<${Empty} title="Nothing yet" />`} />
        ${next && html`<div class="more"><button type="button" class="btn small" disabled=${form.busy} onClick=${async () => {
            const more = await form.submit({});
            if (more)
                set({ rows: [...(older?.rows ?? []), ...more.data], next: more.next_cursor });
        }}>Older</button></div>`}`;
}

export function Timeline({ id, currency }) {
    const load = useLoad((signal) => page(id, 0, { signal }), [id], 10, /^(instance|action|volume|forward)[.]/);
    return html`<${Card} title="What was done" flush><${Loaded} load=${load}>${(first) => html`<${Rows} id=${id} first=${first} currency=${currency} />`}</${Loaded}></${Card}>`;
}

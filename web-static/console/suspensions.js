// Who stands still, for want of money or by an operator, and what comes next for them.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import * as time from '../lib/time.js';
import { Badge, Card, Empty, Loaded, Page, Stat, Stats, Table } from '../lib/ui.js';
import { byWhom } from './suspend.js';

const COLUMNS = [
    { title: 'Customer', of: (row) => html`<a href=${`/console/customers/${row.customer_id}`}>${row.customer_id}</a>` },
    { title: 'By', of: (row) => html`${byWhom(row)}${row.by === 'operator' && html`<span class="note"> ${row.reason}</span>`}` },
    { title: 'State', of: (row) => html`<${Badge} of=${row.state} />` },
    { title: 'Next', of: (row) => (row.next ? `${row.next} in ${time.duration((row.next_in_ms ?? 0) / 1000)}` : html`<span class="muted">nothing</span>`) },
];

const ms = (value) => (value === null || value === undefined ? 'none yet' : `${value} ms`);

export default function Suspensions() {
    const load = useLoad(async (signal) => { const [rows, cap] = await Promise.all([get('/v1/admin/suspensions', { signal }), get('/v1/admin/cap', { signal })]); return { rows: rows.data, cap }; }, [], 10);
    return html`<${Page} title="Suspensions" sub="Instances stop within a second of the last of their money. Money that comes in lets them go on by itself.">
        <${Loaded} load=${load}>${({ rows, cap }) => html`<${Stats}><${Stat} label="Stand still now">${rows.length}</${Stat}><${Stat} label="To a stop, median" note=${`of ${cap.stops} stops`}>${ms(cap.p50_ms)}</${Stat}>
            <${Stat} label="To a stop, longest">${ms(cap.max_ms)}</${Stat}><${Stat} label="Memory is kept" note=${`then stopped; deleted ${time.duration(cap.retention_s)} later`}>${time.duration(cap.grace_suspended_s)}</${Stat}></${Stats}>
            <${Card} flush><${Table} label="Suspensions" columns=${COLUMNS} rows=${rows} empty=${html`<${Empty} title="Nobody stands still" />`} /></${Card}>`}</${Loaded}></${Page}>`;
}

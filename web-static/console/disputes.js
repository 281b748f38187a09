// Disputes of all customers, the open ones first.

import { all } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Badge, Card, Empty, Loaded, Page, Table, Time } from '../lib/ui.js';

const COLUMNS = [
    { title: 'Opened', of: (row) => html`<a href=${`/console/disputes/${row.id}`}><${Time} at=${row.opened_at} /></a>` },
    { title: 'Said', of: (row) => row.reason },
    { title: 'Line', of: (row) => row.line ?? 'all', hide: 'phone' },
    { title: 'Records', of: (row) => (row.verdict ? html`<${Badge} of=${row.verdict} />` : ''), hide: 'phone' },
    { title: 'State', of: (row) => html`<${Badge} of=${row.outcome ?? row.state} tone=${row.outcome ? 'plain' : 'busy'} />` },
];

export default function Disputes() {
    const load = useLoad(() => all('/v1/admin/disputes?limit=100').then((rows) => ({ data: rows.reverse() })), [], 30);
    return html`<${Page} title="Disputes"><${Loaded} load=${load}>${({ data }) => html`<${Card} flush><${Table} label="Disputes" columns=${COLUMNS} keyOf=${(row) => row.id}
        rows=${[...data].sort((a, b) => Boolean(a.outcome) - Boolean(b.outcome))} empty=${html`<${Empty} title="No disputes" />`} /></${Card}>`}</${Loaded}></${Page}>`;
}

// What is or was wrong, newest first.

import { all } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { query, setQuery, usePath } from '../lib/router.js';
import { Away, Badge, Card, Empty, Loaded, Page, Select, Table } from '../lib/ui.js';

const COLUMNS = [
    { title: 'When', of: (row) => html`<${Away} at=${row.raised_at} />` },
    { title: 'Kind', of: (row) => html`<${Badge} of=${row.kind} tone=${row.cleared_at ? 'plain' : 'bad'} />` },
    { title: 'What', of: (row) => html`${row.detail || row.subject}<span class="note"> ${row.detail ? row.subject : ''}</span>` },
    { title: 'Over', of: (row) => (row.cleared_at ? html`<${Away} at=${row.cleared_at} />` : html`<span class="muted">it still holds</span>`), hide: 'phone' },
];

export default function Alerts() {
    usePath();
    const { show = '' } = query(), load = useLoad(() => all(`/v1/admin/alerts?limit=200${show ? '' : '&standing=true'}`).then((rows) => ({ data: rows.reverse() })), [show], 60, /^alert/);
    return html`<${Page} title="Alerts"><div class="row"><${Select} label="Show" value=${show} options=${[['', 'What stands now'], ['all', 'All']]} onValue=${(value) => setQuery({ show: value })} /></div>
        <${Loaded} load=${load}>${({ data }) => html`<${Card} flush><${Table} label="Alerts" columns=${COLUMNS} rows=${data} keyOf=${(row) => row.number} empty=${html`<${Empty} title="Nothing is wrong" />`} /></${Card}>`}</${Loaded}></${Page}>`;
}

// Who changed what in this account, logins too.

import { get } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Pager, pageOf } from '../lib/pager.js';
import { query, usePath } from '../lib/router.js';
import { Badge, Card, Empty, Loaded, Page, Table, Time } from '../lib/ui.js';

const COLUMNS = [
    { title: 'When, UTC', of: (row) => html`<${Time} at=${row.at} />` },
    { title: 'Who', of: (row) => html`${row.actor_type === 'operator' ? 'the operator' : row.actor_type} <code class="muted hide-phone">${row.actor_id}</code>` },
    { title: 'What', of: (row) => html`<code>${row.action}</code>${row.reason && html`<span class="note"> ${row.reason}</span>`}` },
    { title: 'About', of: (row) => html`<code class="muted">${row.object}</code>`, hide: 'phone' },
    { title: 'From', of: (row) => row.address, hide: 'phone' },
    { title: 'Answer', of: (row) => html`<${Badge} of=${row.status} tone=${row.status < 400 ? 'good' : 'bad'} />`, num: true },
];

export default function Audit() {
    usePath();
    const { after } = query(), load = useLoad((signal) => get(`/v1/audit_events?order=newest&limit=50${pageOf(after)}`, { signal }), [after]);
    return html`<${Page} title="Audit log" sub="Everything that changed something, by whom and from where, refused attempts too. It cannot be edited."><${Loaded} load=${load}>${({ data, next_cursor: next }) => html`<${Card} flush>
        <${Table} label="Audit log" columns=${COLUMNS} rows=${data} keyOf=${(row) => row.seq} empty=${html`<${Empty} title="Nothing yet" />`} /></${Card}>
        <${Pager} after=${after} next=${next} first="Newest" more="Older" />`}</${Loaded}></${Page}>`;
}

// Who changed what on this host. Each row has a hash over the one before it: the page works the chain out again.

import { get } from '../lib/api.js';
import { html, useEffect, useState } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Pager } from '../lib/pager.js';
import { query, setQuery, usePath } from '../lib/router.js';
import { concat, hex, sha256, utf8 } from '../lib/verify/bytes.js';
import { Badge, Card, Empty, Input, Loaded, Notice, Page, Table, Time } from '../lib/ui.js';

const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));

// The first row, newest first, whose hash is not what the row before it and its own text give; null: they all are.
async function firstBroken(rows) {
    for (let i = 0; i + 1 < rows.length; i++)
        if (rows[i].seq !== rows[i + 1].seq + 1 || hex(await sha256(concat(fromHex(rows[i + 1].hash), utf8(rows[i].record)))) !== rows[i].hash)
            return rows[i];
    return null;
}

function Chain({ rows }) {
    const [broken, set] = useState(undefined);
    useEffect(() => { let gone = false; firstBroken(rows).then((row) => gone || set(row)); return () => { gone = true; }; }, [rows]);
    if (broken === undefined || rows.length < 2)
        return null;
    return broken ? html`<${Notice} tone="bad"><p><strong>The chain is broken at row ${broken.seq}.</strong> A row was changed, added or taken away. Compare with a copy of the log.</p></${Notice}>` :
        html`<${Notice} tone="good"><p><strong>✓ The chain holds</strong> over these ${rows.length} rows: each hash was worked out again here.</p></${Notice}>`;
}

const COLUMNS = [
    { title: '#', of: (row) => html`<span class="num">${row.seq}</span>`, hide: 'phone' },
    { title: 'When, UTC', of: (row) => html`<${Time} at=${row.at} />` },
    { title: 'Who', of: (row) => html`${row.actor_type} <code class="muted hide-phone">${row.actor_id}</code>` },
    { title: 'What', of: (row) => html`<code>${row.action}</code>${row.reason && html`<span class="note"> ${row.reason}</span>`}` },
    { title: 'About', of: (row) => html`<code class="muted">${row.object}</code>`, hide: 'phone' },
    { title: 'From', of: (row) => row.address, hide: 'phone' },
    { title: 'Answer', of: (row) => html`<${Badge} of=${row.status} tone=${row.status < 400 ? 'good' : 'bad'} />`, num: true },
];

const filled = (values) => Object.entries(values).filter(([, value]) => value).map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join('');

export default function Audit() {
    usePath();
    const { after, actor = '', object = '' } = query();
    const load = useLoad((signal) => get(`/v1/admin/audit?order=newest&limit=50${filled({ after, actor, object })}`, { signal }), [after, actor, object]);
    return html`<${Page} title="Audit log" sub="Everything that changed something, by whom and from where, refused attempts too.">
        <div class="row"><${Input} label="Who" placeholder="opr_… or key_…" value=${actor} onValue=${(value) => setQuery({ actor: value.trim(), after: '' })} />
            <${Input} label="About" placeholder="an id" value=${object} onValue=${(value) => setQuery({ object: value.trim(), after: '' })} /></div>
        <${Loaded} load=${load}>${({ data, next_cursor: next }) => html`${!actor && !object && html`<${Chain} rows=${data} />`}
            <${Card} flush><${Table} label="Audit log" columns=${COLUMNS} rows=${data} keyOf=${(row) => row.seq} empty=${html`<${Empty} title="Nothing" />`} /></${Card}>
            <${Pager} after=${after} next=${next} first="Newest" more="Older" />`}</${Loaded}></${Page}>`;
}

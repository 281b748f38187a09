// An instance's raw records, each checked here in the browser before it gets its tick.

import { get, text } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { bytes, cpuTime } from '../lib/meters.js';
import { Pager, pageOf } from '../lib/pager.js';
import { query, usePath } from '../lib/router.js';
import { Verdict } from '../lib/verdict.js';
import { keysOf } from '../lib/verify/note.js';
import { readRecord } from '../lib/verify/record.js';
import { Card, Empty, Loaded, Notice, Page, Table } from '../lib/ui.js';

const PAGE = 50;

const grew = (record, ...names) => names.reduce((all, name) => all + BigInt(record[`${name}_1`]) - BigInt(record[`${name}_0`]), 0n);
const utc = (ms) => new Date(ms).toISOString().replace('T', ' ').slice(0, 19);

function columnsFor(logKey) {
    return [
        { title: 'Until, UTC', of: ({ read }) => html`<span class="num">${utc(read.t1_ms)}</span>` },
        { title: 'Kind', of: ({ read }) => read.kind, hide: 'phone' },
        { title: 'CPU', of: ({ read }) => cpuTime(grew(read, 'guest_ns', 'hv_ns')), num: true },
        { title: 'Disk', of: ({ read }) => bytes(grew(read, 'disk_read_bytes', 'disk_write_bytes')), num: true, hide: 'phone' },
        { title: 'Sent', of: ({ read }) => bytes(grew(read, 'net_tx_bytes')), num: true, hide: 'phone' },
        { title: 'Checked here', of: (row) => html`<${Verdict} key=${row.index} record=${row} logKey=${logKey} />`, num: true },
    ];
}

export default function Records({ params: { id } }) {
    usePath();
    const { after } = query();
    const load = useLoad(async (signal) => {
        const [page, keys] = await Promise.all([get(`/v1/usage/records?instance_id=${encodeURIComponent(id)}&limit=${PAGE}${pageOf(after)}`, { signal }), text('/log/keys.txt', { signal })]);
        return { ...page, rows: page.data.map((row) => ({ ...row, read: readRecord(row.leaf) })).filter((row) => row.read.t1_ms), logKey: keysOf(keys).log };
    }, [id, after]);
    return html`<${Page} title="Records" sub=${html`Of instance <code>${id}</code>. Your browser checks each: its hash, its place in the log, and the signature of the log's head.`} back=${['/portal/usage', 'Usage']}>
        <${Loaded} load=${load}>${({ rows, logKey, next_cursor: next }) => html`<${Card} flush>
            <${Table} label="Records" columns=${columnsFor(logKey)} rows=${rows} keyOf=${(row) => row.index} empty=${html`<${Empty} title="No records yet"><p>The first comes within a minute of the start.</p></${Empty}>`} /></${Card}>
            <${Pager} after=${after} next=${next} />
            <${Notice}><p><strong>The key that all this hangs on.</strong> It came from this host. Compare it with one that you got another way, once:</p><code>${logKey}</code></${Notice}>`}</${Loaded}></${Page}>`;
}

// An instance's raw records, each checked here in the browser before it gets its tick.

import { get, text } from '../lib/api.js';
import { html, useEffect, useState } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { bytes, cpuTime } from '../lib/meters.js';
import { query, setQuery, usePath } from '../lib/router.js';
import { keysOf } from '../lib/verify/note.js';
import { readRecord, verifyRecord } from '../lib/verify/record.js';
import { Card, Code, DialogButton, Empty, Loaded, Notice, Page, Table } from '../lib/ui.js';

const PAGE = 50;

export const Checks = ({ checks }) => html`<ul class="checks-list">${checks.map((check) => html`<li key=${check.what}>
    <span class=${check.good ? 'tick' : 'cross'} role="img" aria-label=${check.good ? 'holds' : 'does not hold'}>${check.good ? '✓' : '✗'}</span>
    <span>${check.what}${check.why && html`<span class="error">: ${check.why}</span>`}</span></li>`)}</ul>`;

// { good, checks } once it has been checked.
function useVerdict(record, logKey) {
    const [verdict, set] = useState(null);
    useEffect(() => {
        let gone = false;
        verifyRecord(record, logKey).then((found) => gone || set(found), (error) => gone || set({ good: false, checks: [{ what: 'It can be checked', good: false, why: error.message }] }));
        return () => { gone = true; };
    }, [record, logKey]);
    return verdict;
}

function Verdict({ record, logKey }) {
    const verdict = useVerdict(record, logKey);
    if (!verdict)
        return html`<span class="spinner" role="img" aria-label="Checking"></span>`;
    const pending = !verdict.good && !record.proof;
    return html`<${DialogButton} label=${pending ? 'Not yet in a head' : verdict.good ? '✓ Verified' : '✗ Not verified'} tone=${`small ${verdict.good ? 'verified' : pending ? '' : 'danger'}`}
        title=${`Record ${record.index}`}>${() => html`<div class="stack"><${Checks} checks=${verdict.checks} /><h3>The record as it was hashed</h3><${Code} label="The record" text=${record.leaf} />
        <h3>Its proof</h3><${Code} label="The proof" text=${record.proof ?? 'none yet'} /></div>`}</${DialogButton}>`;
}

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
        const [page, keys] = await Promise.all([get(`/v1/usage/records?instance_id=${encodeURIComponent(id)}&limit=${PAGE}${after ? `&after=${after}` : ''}`, { signal }), text('/log/keys.txt', { signal })]);
        return { ...page, rows: page.data.map((row) => ({ ...row, read: readRecord(row.leaf) })).filter((row) => row.read.t1_ms), logKey: keysOf(keys).log };
    }, [id, after]);
    return html`<${Page} title="Records" sub=${html`Of instance <code>${id}</code>. Your browser checks each: its hash, its place in the log, and the signature of the log's head.`} back=${['/portal/usage', 'Usage']}>
        <${Loaded} load=${load}>${({ rows, logKey, next_cursor: next }) => html`<${Card} flush>
            <${Table} label="Records" columns=${columnsFor(logKey)} rows=${rows} keyOf=${(row) => row.index} empty=${html`<${Empty} title="No records yet"><p>The first comes within a minute of the start.</p></${Empty}>`} /></${Card}>
            <div class="actions">${after && html`<button type="button" class="btn" onClick=${() => setQuery({ after: '' })}>First page</button>`}
                ${next !== null && next !== undefined && rows.length === PAGE && html`<button type="button" class="btn" onClick=${() => setQuery({ after: String(next) })}>Next page</button>`}</div>
            <${Notice}><p><strong>The key that all this hangs on.</strong> It came from this host. Compare it with one that you got another way, once:</p><code>${logKey}</code></${Notice}>`}</${Loaded}></${Page}>`;
}

// One leaf of the log by its place: whose it is, from when to when, and each counter as hv had it at both ends.

import { get, text } from '../lib/api.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { query, usePath } from '../lib/router.js';
import { Badge, Card, Code, Empty, Facts, Loaded, Page, Table, Time } from '../lib/ui.js';
import { Verdict } from '../lib/verdict.js';
import { keysOf } from '../lib/verify/note.js';
import { readRecord } from '../lib/verify/record.js';

// [{ name, from, to }] of a record's counters, as they stand in it: NAME_0 and NAME_1.
const counters = (read) => Object.keys(read).filter((key) => key.endsWith('_1') && `${key.slice(0, -2)}_0` in read)
    .map((key) => ({ name: key.slice(0, -2), from: BigInt(read[`${key.slice(0, -2)}_0`]), to: BigInt(read[key]) }));

const COLUMNS = [
    { title: 'Counter', of: ({ name }) => html`<code>${name}</code>` },
    { title: 'At the start', of: ({ from }) => from.toLocaleString('en'), num: true, hide: 'phone' },
    { title: 'At the end', of: ({ to }) => to.toLocaleString('en'), num: true },
    { title: 'Between', of: ({ from, to }) => html`<strong>${(to - from).toLocaleString('en')}</strong>`, num: true },
];

const time = (ms) => (Number.isInteger(ms) ? html`<${Time} at=${new Date(ms).toISOString()} />` : 'not said');
const ofHost = (leaf) => !leaf.instance_id || !leaf.customer_id?.startsWith('acc_');

async function look(index, origin, signal) {
    const [leaf, keys] = await Promise.all([get(`/v1/admin/log/leaves/${encodeURIComponent(index)}${origin ? `?origin=${encodeURIComponent(origin)}` : ''}`, { signal }), text('/log/keys.txt', { signal })]);
    return { leaf, read: readRecord(leaf.leaf), logKey: keysOf(keys).log };
}

export default function Record({ params: { index } }) {
    usePath();
    const { origin } = query(), load = useLoad((signal) => look(index, origin, signal), [index, origin]);
    return html`<${Page} title=${`Record ${index}`} back=${['/console/ledger', 'Ledger']} sub="What the hypervisor counted, as it was signed. Your browser checks it.">
        <${Loaded} load=${load}>${({ leaf, read, logKey }) => html`<div class="columns two">
            <${Card} title="What it is" aside=${html`<${Verdict} record=${leaf} logKey=${logKey} />`}><${Facts} rows=${[['Kind', html`<${Badge} of=${read.kind} tone="plain" />`],
                ['Owner', ofHost(leaf) ? 'the host' : html`<a href=${`/console/customers/${leaf.customer_id}`}>${leaf.customer_id}</a>`],
                leaf.instance_id && ['Domain', ofHost(leaf) ? leaf.instance_id : html`<a href=${`/console/domains/${leaf.instance_id}`}>${leaf.instance_id}</a>`], leaf.incarnation && ['Life', html`<code>${leaf.incarnation}</code>`],
                leaf.incarnation && ['From', time(read.t0_ms)], leaf.incarnation && ['Until', time(read.t1_ms)], leaf.incarnation && ['Price book', read.price_book], ['Log', html`<code>${leaf.origin}</code>`]]} /></${Card}>
            <${Card} title="As signed"><${Code} label="The record" text=${leaf.leaf} /></${Card}></div>
            <${Card} title="Counters" flush><${Table} label="Counters" columns=${COLUMNS} rows=${counters(read)} keyOf=${(row) => row.name} empty=${html`<${Empty} title="It has none" />`} /></${Card}>`}</${Loaded}></${Page}>`;
}

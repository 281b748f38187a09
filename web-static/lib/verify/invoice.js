// An invoice's bundle, checked here as VERIFY.txt in it says how to check it with stock tools: nothing is believed but the
// host's two public keys, and those can be compared with what came another way.

import { equal, fromUtf8, hex, sha256 } from './bytes.js';
import { checkAmounts, checkTotal } from './amounts.js';
import { leafHash, rootOf } from './merkle.js';
import { checkpoint, keysOf, minisigned, proof, vkey } from './note.js';
import { readRecord } from './record.js';
import { untar } from './tar.js';

const fail = (why) => { throw new Error(why); };

function textOf(files, name) {
    return fromUtf8(files.get(name) ?? fail(`${name} is not in the bundle`));
}

async function sumsHold(files) {
    const listed = new Map(textOf(files, 'SHA256SUMS').trimEnd().split('\n').map((line) => [line.slice(66), line.slice(0, 64)]));
    for (const [name, bytes] of files) {
        if (name === 'SHA256SUMS' || name === 'SHA256SUMS.minisig')
            continue;
        if (hex(await sha256(bytes)) !== listed.get(name))
            fail(`${name} is not the file that was signed`);
        listed.delete(name);
    }
    if (listed.size)
        fail(`${[...listed.keys()][0]} is not in the bundle`);
}

async function documentsSigned(files, key) {
    for (const name of ['SHA256SUMS', 'invoice.json', 'invoice.pdf', 'invoice.xml', 'lines.csv'])
        await minisigned(files.get(name) ?? fail(`${name} is not in the bundle`), textOf(files, `${name}.minisig`), key);
}

// Every key that the bundle was made with is one that the host publishes now.
function keysKnown(inside, published) {
    const listed = new Set(published.lines.flatMap((line) => line.split(' ')));
    if (!listed.has(inside.log) || !listed.has(inside.invoice))
        fail('the bundle was signed with keys that this host does not publish');
}

const rowsOf = (files) => textOf(files, 'records.jsonl').split('\n').filter(Boolean).map((line) => JSON.parse(line));

// Each record names the one before it of its incarnation by its hash, and goes on from its counters: none can be left out.
async function recordsFollow(rows) {
    const last = new Map(), ends = new Set();
    for (const row of rows) {
        const record = readRecord(row.leaf), before = last.get(record.incarnation);
        if (record.kind === 'tariff')
            continue;
        if (before && (before.hash !== record.prev || before.number + 1 !== record.number))
            fail(`record ${row.index} does not follow the one before it`);
        for (const name of before ? Object.keys(before.counters) : [])
            if (before.counters[name] !== record[`${name}_0`])
                fail(`record ${row.index}: ${name} does not go on where it ended`);
        if (!before)
            ends.add(row.index);
        const counters = Object.fromEntries(Object.entries(record).filter(([name]) => name.endsWith('_1')).map(([name, value]) => [name.slice(0, -2), value]));
        last.set(record.incarnation, { hash: hex(await leafHash(row.leaf)), number: record.number, counters, index: row.index });
    }
    for (const one of last.values())
        ends.add(one.index);
    return ends;
}

async function recordsIncluded(files, rows, ends, head) {
    const leaves = new Map(rows.map((row) => [row.index, row.leaf]));
    for (const index of ends) {
        const read = proof(textOf(files, `proofs/${String(index).padStart(12, '0')}.tlog-proof`));
        if (read.index !== index || !equal(await rootOf(await leafHash(leaves.get(index)), index, head.size, read.beside), head.root))
            fail(`record ${index} is not in the log`);
    }
}

function booksOf(files) {
    const books = new Map();
    for (const [name, bytes] of files)
        if (/^pricebook-[0-9]+[.]json$/.test(name)) {
            const book = JSON.parse(fromUtf8(bytes));
            books.set(book.version, book);
        }
    return books;
}

// { good, checks, invoice }: each check { what, good, why } in order; the first that fails is the last. `keys` is keys.txt as
// the host publishes it.
export async function verifyInvoice(bundle, keys) {
    const checks = [];
    let files, inside, invoice, rows, ends, head;
    const steps = [
        ['The bundle is whole: every file has the hash that is listed', async () => { files = untar(bundle); await sumsHold(files); }],
        ['The keys are those that the host publishes', () => { inside = keysOf(textOf(files, 'keys.txt')); keysKnown(inside, keysOf(keys)); }],
        ['The list and the papers are signed with the invoice key', async () => {
            await documentsSigned(files, inside.invoice);
            invoice = JSON.parse(textOf(files, 'invoice.json'));
        }],
    ];
    const recordSteps = [
        ['The head of the usage log is signed with the log key', async () => { head = await checkpoint(textOf(files, 'checkpoint'), await vkey(inside.log)); }],
        ['The records follow one another without a hole', async () => { rows = rowsOf(files); ends = await recordsFollow(rows); }],
        ['Where they begin and end is in that log', () => recordsIncluded(files, rows, ends, head)],
        ['Each amount is what the records cost by the price books, and the tax on it', () => { checkAmounts(invoice, rows, booksOf(files)); }],
    ];
    const creditSteps = [['The lines add up to the total', () => checkTotal(invoice)]];

    async function run(list) {
        for (const [what, look] of list) {
            try {
                await look();
                checks.push({ what, good: true });
            } catch (error) {
                checks.push({ what, good: false, why: error.message });
                return false;
            }
        }
        return true;
    }
    const good = await run(steps) && await run(invoice.kind === 'credit_note' ? creditSteps : recordSteps);
    return { good, checks, invoice, records: rows?.length ?? 0 };
}

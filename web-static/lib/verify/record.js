// One record of use: that its hash is of its text, that the log has it at its place, and that the log's head is signed.

import { equal, hex } from './bytes.js';
import { leafHash, rootOf } from './merkle.js';
import { checkpoint, proof, vkey } from './note.js';

// { good, checks: [{ what, good, why }] }; the first that fails is the last.
export async function verifyRecord(record, logKey) {
    const checks = [];
    async function check(what, look) {
        try {
            const value = await look();
            checks.push({ what, good: true });
            return value;
        } catch (error) {
            checks.push({ what, good: false, why: error.message });
            throw checks;
        }
    }
    try {
        const hash = await check('The hash is of this record', async () => {
            const made = await leafHash(record.leaf);
            if (hex(made) !== record.leaf_hash)
                throw new Error('the record is not what was hashed');
            return made;
        });
        const parts = await check('It has a place in the log', () => {
            if (!record.proof)
                throw new Error('no signed head has it yet: look again in a minute');
            const read = proof(record.proof);
            if (read.index !== record.index)
                throw new Error('the proof is for another place');
            return read;
        });
        const head = await check('The head of the log is signed by its key', async () => checkpoint(parts.head, await vkey(logKey)));
        await check(`Its hash leads to the root of ${head.size.toLocaleString('en')} records`, async () => {
            if (!equal(await rootOf(hash, parts.index, head.size, parts.beside), head.root))
                throw new Error('the way up ends at another root');
        });
    } catch (stopped) {
        if (stopped !== checks)
            throw stopped;
    }
    return { good: checks.every((one) => one.good), checks };
}

// What a record says, for people: its kind and its fields.
export function readRecord(leaf) {
    const [first, second] = leaf.split('\n');
    return { kind: first.split(' ')[1], ...JSON.parse(second) };
}

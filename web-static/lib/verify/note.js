// Texts with signatures: C2SP signed notes, checkpoints and tlog-proofs, and minisign's files.

import { concat, equal, fromBase64, hex, sha256, signed, utf8 } from './bytes.js';

const ED25519 = 1;

// "NAME+ID+BASE64" (C2SP signed-note); its id is a hash of the rest, so that a slip of the pen is noticed.
export async function vkey(text) {
    const [name, id, encoded] = [text.slice(0, text.indexOf('+')), ...text.slice(text.indexOf('+') + 1).split(/\+(.*)/s)];
    const bytes = fromBase64(encoded);
    const hash = (await sha256(concat(utf8(`${name}\n`), bytes))).slice(0, 4);
    if (bytes.length !== 33 || bytes[0] !== ED25519 || hex(hash) !== id)
        throw new Error(`${text}: not the key of a log`);
    return { name, id: hash, publicKey: bytes.slice(1), text };
}

// The text above the empty line, if `key` has signed it.
export async function noteText(note, key) {
    const end = note.indexOf('\n\n');
    if (end < 0)
        throw new Error('a note without signatures');
    const body = note.slice(0, end + 1), mine = `— ${key.name} `;
    for (const line of note.slice(end + 2).split('\n')) {
        if (!line.startsWith(mine))
            continue;
        const bytes = fromBase64(line.slice(mine.length));
        if (bytes.length === 68 && equal(bytes.slice(0, 4), key.id))
            return (await signed(key.publicKey, bytes.slice(4), utf8(body))) ? body : null;
    }
    return null;
}

// { origin, size, root } of a head that `key` has signed.
export async function checkpoint(note, key) {
    const body = await noteText(note, key);
    if (body === null)
        throw new Error('the head of the log is not signed by its key');
    const [origin, size, root, ...rest] = body.split('\n');
    if (!/^(0|[1-9][0-9]{0,14})$/.test(size) || rest[0] !== '')
        throw new Error('not the head of a log');
    return { origin, size: Number(size), root: fromBase64(root) };
}

// A tlog-proof file: { index, beside, head }.
export function proof(text) {
    const end = text.indexOf('\n\n');
    const [header, index, ...hashes] = text.slice(0, end).split('\n');
    if (end < 0 || header !== 'c2sp.org/tlog-proof@v1' || !/^index (0|[1-9][0-9]{0,14})$/.test(index))
        throw new Error('not a proof (C2SP tlog-proof)');
    return { index: Number(index.slice(6)), beside: hashes.map(fromBase64), head: text.slice(end + 2) };
}

// minisign's file for these bytes: the trusted comment, if `publicKey` has signed both.
export async function minisigned(bytes, file, publicKey) {
    const [untrusted, first, trusted, second] = file.split('\n');
    const key = fromBase64(publicKey), signature = fromBase64(first);
    if (!untrusted.startsWith('untrusted comment: ') || !trusted.startsWith('trusted comment: ') || key.length !== 42 || signature.length !== 74)
        throw new Error('not a signature of minisign');
    if (!equal(signature.slice(0, 10), key.slice(0, 10)))
        throw new Error('signed by another key');
    const comment = trusted.slice('trusted comment: '.length), raw = key.slice(10), plain = signature.slice(10);
    if (!(await signed(raw, plain, bytes)) || !(await signed(raw, fromBase64(second), concat(plain, utf8(comment)))))
        throw new Error('the signature does not fit');
    return comment;
}

// keys.txt: the log's newest key stands in the third line, the invoices' newest in the last.
export function keysOf(file) {
    const lines = file.trimEnd().split('\n');
    return { log: lines[2], invoice: lines.at(-1), lines };
}

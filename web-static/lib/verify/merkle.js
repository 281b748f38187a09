// The log is a Merkle tree of RFC 6962: leaves and nodes are hashed apart, so that neither can pass for the other.

import { concat, sha256, utf8 } from './bytes.js';

export const leafHash = (leaf) => sha256(concat(Uint8Array.of(0), utf8(leaf)));
const nodeHash = (left, right) => sha256(concat(Uint8Array.of(1), left, right));

// The root of a tree of `size` leaves that has `hash` at `index`, by the hashes beside the way up (RFC 9162, 2.1.3.2).
export async function rootOf(hash, index, size, beside) {
    if (index >= size)
        throw new Error(`leaf ${index} of a tree of ${size}`);
    let at = index, last = size - 1, node = hash;
    for (const side of beside) {
        if (last === 0)
            throw new Error('the proof is too long');
        if (at % 2 === 1 || at === last) {
            node = await nodeHash(side, node);
            while (at % 2 === 0 && at !== 0) {
                at = Math.floor(at / 2);
                last = Math.floor(last / 2);
            }
        } else {
            node = await nodeHash(node, side);
        }
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
    }
    if (last !== 0)
        throw new Error('the proof is too short');
    return node;
}

// The files of a ustar archive (POSIX.1-2017, pax): a map of names to bytes.

import { fromUtf8 } from './bytes.js';

const field = (block, from, size) => {
    const bytes = block.slice(from, from + size), end = bytes.indexOf(0);
    return fromUtf8(end < 0 ? bytes : bytes.slice(0, end));
};

// The sum of a header's bytes, its own field counted as blanks, stands in it in octal.
function headerHolds(block) {
    const sum = block.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 32 : byte), 0);
    return parseInt(field(block, 148, 8), 8) === sum;
}

export function untar(bytes) {
    const files = new Map();
    for (let at = 0; at + 512 <= bytes.length && bytes[at];) {
        const block = bytes.subarray(at, at + 512), prefix = field(block, 345, 155);
        const name = `${prefix ? `${prefix}/` : ''}${field(block, 0, 100)}`, size = parseInt(field(block, 124, 12), 8);
        if (!headerHolds(block))
            throw new Error('a header in the bundle is damaged');
        if (!Number.isSafeInteger(size) || at + 512 + size > bytes.length)
            throw new Error('the bundle is cut off');
        if (files.has(name))
            throw new Error(`${name} is in the bundle twice`);
        files.set(name, bytes.subarray(at + 512, at + 512 + size));
        at += 512 + Math.ceil(size / 512) * 512;
    }
    if (!files.size)
        throw new Error('the bundle is empty');
    return files;
}

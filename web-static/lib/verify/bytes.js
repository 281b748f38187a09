// Bytes and their spellings. Base64 has one right spelling here: what does not come out again as it was is refused.

export const utf8 = (text) => new TextEncoder().encode(text);
export const fromUtf8 = (bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export function base64(bytes) {
    let text = '';
    for (const byte of bytes)
        text += String.fromCharCode(byte);
    return btoa(text);
}

export function fromBase64(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    if (base64(bytes) !== text)
        throw new Error('base64 that is not spelled the one right way');
    return bytes;
}

export function concat(...parts) {
    const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
        all.set(part, at);
        at += part.length;
    }
    return all;
}

export const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

// Ed25519 (RFC 8032) by WebCrypto, which every current browser has; one that has not says so instead of passing.
export async function signed(publicKey, signature, message) {
    let key;
    try {
        key = await crypto.subtle.importKey('raw', publicKey, { name: 'Ed25519' }, false, ['verify']);
    } catch (error) {
        throw new Error('this browser cannot check Ed25519 signatures: use a newer one, or xs-verify', { cause: error });
    }
    return crypto.subtle.verify({ name: 'Ed25519' }, key, signature, message);
}

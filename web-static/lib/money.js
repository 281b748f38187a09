// Money is a decimal string with its currency beside it. Sums are made of 10^-9 in a BigInt: a float never holds money.

const SIGNS = { EUR: '€', USD: '$', GBP: '£', CHF: 'CHF ' };
const NANO = 1000000000n;

export function nano(text) {
    const match = /^(-?)([0-9]+)(?:[.]([0-9]{1,9}))?$/.exec(text);
    if (!match)
        throw new RangeError(`${text}: not an amount such as 12.50`);
    const value = BigInt(match[2]) * NANO + BigInt((match[3] ?? '').padEnd(9, '0'));
    return match[1] ? -value : value;
}

// As the API writes it: two digits at least, no more than are needed.
export function text(value) {
    const digits = (value < 0n ? -value : value).toString().padStart(10, '0');
    const whole = digits.slice(0, -9), part = digits.slice(-9).replace(/0{1,7}$/, '');
    return `${value < 0n ? '-' : ''}${whole}.${part}`;
}

const group = (whole) => whole.replace(/\B(?=([0-9]{3})+$)/g, ',');

function rounded(value, digits) {
    const unit = 10n ** BigInt(9 - digits);
    return (value + unit / 2n) / unit;
}

// For people: two digits, or as many as the first two that are not zero when it is less than a cent. The exact amount
// belongs into the title.
export function shown(amount, currency) {
    const value = typeof amount === 'bigint' ? amount : nano(amount);
    const size = value < 0n ? -value : value;
    let digits = 2;
    while (digits < 9 && size && size < 10n ** BigInt(11 - digits) && size < 10n ** 8n)
        digits++;
    const number = rounded(size, digits).toString().padStart(digits + 1, '0');
    const whole = group(number.slice(0, -digits)), part = number.slice(-digits).replace(/(?<=^..[0-9]*?)0+$/, '');
    return `${value < 0n ? '−' : ''}${currency ? SIGNS[currency] ?? `${currency} ` : ''}${whole}.${part}`;
}

// As much as a coin can say, for sums beside one another.
export function cents(amount, currency) {
    const value = typeof amount === 'bigint' ? amount : nano(amount);
    return shown((value / 10000000n) * 10000000n, currency);
}

// How much of the whole, 0 to 1, for drawing alone.
export function share(part, whole) {
    const all = typeof whole === 'bigint' ? whole : nano(whole);
    const some = typeof part === 'bigint' ? part : nano(part);
    return all > 0n ? Math.min(Math.max(Number(some * 10000n / all) / 10000, 0), 1) : 0;
}

export const sum = (amounts) => amounts.reduce((all, one) => all + nano(one), 0n);

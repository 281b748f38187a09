// An invoice's lines once more, from its records and its price books. A line is one meter in one month under one book:
// F(before + quantity) - F(before), where F adds up the tiers exactly and is rounded once, half to even, to a cent.

import { readRecord } from './record.js';

const GIB = 2n ** 30n, S = 10n ** 9n, CENT = 10n ** 7n;
const UNITS = { vcpu_reserved: S, memory_reserved: 1024n * S, cpu_used: S, memory_used: 2n ** 18n * S, disk_ops: 1n, disk_bytes: GIB,
    net_packets: 1n, net_bytes_out: GIB, net_bytes_in: GIB };
const COUNTERS = { cpu_used: ['guest_ns', 'hv_ns'], memory_used: ['page_ns'], net_packets: ['net_rx_packets', 'net_tx_packets'],
    disk_ops: ['disk_read_ops', 'disk_write_ops', 'disk_flush_ops', 'disk_discard_ops'], disk_bytes: ['disk_read_bytes', 'disk_write_bytes'],
    net_bytes_out: ['net_tx_bytes'], net_bytes_in: ['net_rx_bytes'] };

const max = (a, b) => (a > b ? a : b), min = (a, b) => (a < b ? a : b);
const plus = ([a, b], [c, d]) => [a * d + c * b, b * d];

// n/d of 10^-9, to whole cents: half to even.
function cents(n, d) {
    const whole = n / (d * CENT), rest = 2n * (n - whole * d * CENT);
    return (whole + (rest > d * CENT || (rest === d * CENT && whole % 2n === 1n) ? 1n : 0n)) * CENT;
}

export function priced(meter, used) {
    const unit = UNITS[meter.meter], tiers = meter.tiers ?? [{ ...meter, above: '0' }];
    const edges = tiers.map((tier) => BigInt(tier.above) * unit), free = BigInt(meter.free ?? '0') * unit;
    let sum = [0n, 1n];
    tiers.forEach((tier, i) => {
        const low = max(edges[i], free), high = i + 1 < tiers.length ? min(used, edges[i + 1]) : used;
        sum = plus(sum, [max(high - low, 0n) * BigInt(tier.num_nano), BigInt(tier.den) * unit]);
    });
    const least = used ? BigInt(meter.minimum_nano ?? '0') : 0n;
    return sum[0] < least * sum[1] ? cents(least, 1n) : cents(sum[0], sum[1]);
}

export function quantities(record) {
    const ns = BigInt(record.t1_ns) - BigInt(record.t0_ns);
    const had = { vcpu_reserved: ns * BigInt(record.vcpus), memory_reserved: ns * BigInt(record.memory_mib) };
    for (const [meter, counters] of Object.entries(COUNTERS))
        had[meter] = counters.reduce((all, counter) => all + BigInt(record[`${counter}_1`]) - BigInt(record[`${counter}_0`]), 0n);
    return had;
}

// What the records add up to, before the invoice and in it: two maps by "month book meter".
function sums(rows, invoice) {
    const before = new Map(), used = new Map();
    for (const row of rows) {
        const record = readRecord(row.leaf);
        if ((record.kind !== 'use' && record.kind !== 'end') || record.flags === 'billing_suspended')
            continue;
        const month = new Date(Math.floor(record.t0_ms / 1000) * 1000).toISOString().slice(0, 7);
        const into = row.index < invoice.from_index ? before : used;
        for (const [meter, quantity] of Object.entries(quantities(record))) {
            const key = `${month} ${record.price_book} ${meter}`;
            into.set(key, (into.get(key) ?? 0n) + quantity);
        }
    }
    return { before, used };
}

function taxOf(net, invoice) {
    return cents(net * BigInt(invoice.tax[0].rate_permyriad), 10000n);
}

// Throws at the first line that is not what the records give; says how many lines there are.
export function checkAmounts(invoice, rows, books) {
    const { before, used } = sums(rows, invoice);
    const lines = new Map(invoice.lines.map((line) => [`${line.period} ${line.price_book} ${line.meter}`, line]));
    const due = [...used].filter(([, quantity]) => quantity).map(([key]) => key);
    if (lines.size !== invoice.lines.length || due.length !== lines.size || !due.every((key) => lines.has(key)))
        throw new Error('the invoice has other lines than the records give');
    for (const [key, line] of lines) {
        const had = before.get(key) ?? 0n, quantity = used.get(key);
        const meter = books.get(line.price_book)?.meters.find((one) => one.meter === line.meter);
        if (!meter)
            throw new Error(`price book ${line.price_book} has no ${line.meter}`);
        if (BigInt(line.quantity_before) !== had || BigInt(line.quantity) !== quantity ||
            BigInt(line.amount_nano) !== priced(meter, had + quantity) - priced(meter, had))
            throw new Error(`${line.meter}: the records give another amount`);
    }
    checkTotal(invoice);
    return lines.size;
}

export function checkTotal(invoice) {
    const net = invoice.lines.reduce((all, line) => all + BigInt(line.amount_nano), 0n), tax = BigInt(invoice.tax[0].amount_nano);
    if (BigInt(invoice.net_nano) !== net || BigInt(invoice.total_nano) !== net + tax || (invoice.kind !== 'credit_note' && taxOf(net, invoice) !== tax))
        throw new Error('the lines do not add up to the total');
}

// The meters by their names for people, and quantities in units that people know.

import * as time from './time.js';

export const METERS = {
    vcpu_reserved: 'vCPUs, while it exists', memory_reserved: 'Memory, while it exists', cpu_used: 'CPU used', memory_used: 'Memory used',
    disk_ops: 'Disk operations', disk_bytes: 'Disk bytes', net_packets: 'Packets', net_bytes_out: 'Bytes sent', net_bytes_in: 'Bytes received',
    volume_size: 'Volumes',
};

export const ORDER = Object.keys(METERS);
export const nameOf = (meter) => METERS[meter] ?? meter.replaceAll('_', ' ');
export const tone = (meter) => `s${Math.max(ORDER.indexOf(meter), 0) % 9}`;

const grouped = (text) => text.replace(/^[0-9]+/, (whole) => whole.replace(/\B(?=([0-9]{3})+$)/g, ','));

// "31.220060939" vCPU-second: three digits behind the point are enough to read; the exact number is in the title.
const inUnits = (row) => row.units ?? (BigInt(row.quantity) * 1000n / BigInt(row.quantity_per_unit)).toString().padStart(4, '0').replace(/([0-9]{3})$/, '.$1').replace(/[.]000$/, '');

export const units = (row) => `${grouped(inUnits(row).replace(/([.][0-9]{3})[0-9]+$/, '$1'))} ${row.unit}${inUnits(row) === '1' ? '' : 's'}`.replace('GiBs', 'GiB');

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(text) {
    let value = Number(text), at = 0;
    for (; value >= 1024 && at < SIZES.length - 1; at++)
        value /= 1024;
    return `${value.toLocaleString('en', { maximumFractionDigits: value < 10 && at ? 2 : 0 })} ${SIZES[at]}`;
}

export const count = (text) => Number(text).toLocaleString('en');
export const cpuTime = (ns) => (Number(ns) < 1e9 ? `${Math.round(Number(ns) / 1e6)} ms` : Number(ns) < 6e10 ? `${(Number(ns) / 1e9).toFixed(2)} s` : time.duration(Number(ns) / 1e9));

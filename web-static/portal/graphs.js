// Rates of the last minutes, from the very counters that are billed: what they grew by between two looks, over the time between.

import { html, useRef } from '../lib/html.js';
import { bytes } from '../lib/meters.js';
import { Card } from '../lib/ui.js';

const LOOKS = 120, WIDTH = 240, HEIGHT = 56;

const percent = (value) => `${value.toFixed(value < 10 ? 1 : 0)} %`;
const perSecond = (value) => `${bytes(String(Math.round(value)))}/s`;

// What grows, how it is said, and the least that the top of its graph stands for.
const GRAPHS = (vcpus) => [
    ['CPU', ['guest_ns', 'hv_ns'], 1e7 * vcpus, percent, 10, 's0'], ['Waiting for a CPU (steal)', ['wait_ns'], 1e7 * vcpus, percent, 10, 's2'],
    ['Disk', ['disk_read_bytes', 'disk_write_bytes'], 1, perSecond, 4096, 's5'], ['Network', ['net_rx_bytes', 'net_tx_bytes'], 1, perSecond, 4096, 's7'],
];

const sum = (usage, names) => names.reduce((all, name) => all + BigInt(usage[name] ?? 0), 0n);

function ratesOf(looks, names, unit) {
    return looks.slice(1).map((look, i) => {
        const seconds = (Date.parse(look.as_of) - Date.parse(looks[i].as_of)) / 1000;
        return Math.max(Number(sum(look, names) - sum(looks[i], names)) / seconds / unit, 0);
    });
}

function Graph({ label, rates, words, least, tone }) {
    const top = Math.max(least, ...rates), last = rates.at(-1), step = WIDTH / (LOOKS - 2), from = WIDTH - (rates.length - 1) * step;
    const y = (rate) => HEIGHT - 2 - (rate / top) * (HEIGHT - 4);
    const line = rates.map((rate, i) => `${(from + i * step).toFixed(1)},${y(rate).toFixed(1)}`).join(' ');
    return html`<figure class="graph"><figcaption><span>${label}</span><span class="num strong">${last === undefined ? '' : words(last)}</span></figcaption>
        <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${`${label}: ${last === undefined ? 'no rate yet' : `${words(last)} now, at most ${words(Math.max(...rates))}`}`}>
        <polyline class=${tone} points=${rates.length === 1 ? `${line} ${WIDTH - 1},${y(last).toFixed(1)}` : line} /></svg></figure>`;
}

// `usage` is the newest look; older ones are kept while the screen is open.
export function Graphs({ usage, vcpus }) {
    const looks = useRef([]), newest = looks.current.at(-1);
    if (!newest || Date.parse(usage.as_of) > Date.parse(newest.as_of))
        looks.current = [...looks.current, usage].slice(-LOOKS);
    return html`<${Card} title="Now" aside=${html`<span class="note">from the counters that are billed, while you look</span>`}><div class="graphs">${GRAPHS(vcpus).map(([label, names, unit, words, least, tone]) => html`
        <${Graph} key=${label} label=${label} rates=${ratesOf(looks.current, names, unit)} words=${words} least=${least} tone=${tone} />`)}</div></${Card}>`;
}

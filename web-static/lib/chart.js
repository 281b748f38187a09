// Stacked bars, drawn here: a column is a button that a keyboard reaches too, and the numbers stand in a table below anyway.

import { html } from './html.js';
import * as money from './money.js';

const WIDTH = 1000, HEIGHT = 240, LEFT = 74, BOTTOM = 26, TOP = 8;

// A round number of 10^-9 not less than `most`, for the top line.
function roof(most) {
    let step = 1n;
    while (step * 10n < most)
        step *= 10n;
    return [1n, 2n, 3n, 4n, 5n, 6n, 8n, 10n].map((n) => n * step).find((top) => top >= most);
}

// columns: [{ key, title, parts: [{ key, tone, amount (BigInt of 10^-9) }] }]
export function Bars({ columns, currency, selected, onSelect, label }) {
    const totals = columns.map((column) => column.parts.reduce((all, part) => all + part.amount, 0n));
    const most = totals.reduce((a, b) => (a > b ? a : b), 0n), top = most > 0n ? roof(most) : 1n;
    const wide = (WIDTH - LEFT) / columns.length, high = HEIGHT - BOTTOM - TOP;
    const tall = (amount) => Number(amount * 100000n / top) / 100000 * high;
    const every = Math.ceil(columns.length / 11);
    return html`<figure class="chart"><svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="group" aria-label=${label}>
        ${[0n, 1n, 2n].map((half) => html`<g key=${half}><line x1=${LEFT} x2=${WIDTH} y1=${HEIGHT - BOTTOM - tall(top * half / 2n)} y2=${HEIGHT - BOTTOM - tall(top * half / 2n)} />
            <text x=${LEFT - 8} y=${HEIGHT - BOTTOM - tall(top * half / 2n) + 4} text-anchor="end">${half ? money.shown(top * half / 2n, currency) : '0'}</text></g>`)}
        ${columns.map((column, i) => html`<${Column} key=${column.key} column=${column} total=${totals[i]} x=${LEFT + i * wide} wide=${wide} tall=${tall} currency=${currency}
            pressed=${selected === column.key} onSelect=${onSelect} />`)}
        <g aria-hidden="true">${columns.map((column, i) => i % every === 0 && html`<text key=${column.key} x=${LEFT + (i + 0.5) * wide} y=${HEIGHT - 8} text-anchor="middle">${column.label}</text>`)}</g></svg></figure>`;
}

function Column({ column, total, x, wide, tall, currency, pressed, onSelect }) {
    const thick = Math.max(Math.min(wide * 0.75, 64), 1);
    let y = HEIGHT - BOTTOM;
    const press = () => onSelect(column.key);
    const key = (event) => {
        if (event.key === 'Enter' || event.key === ' ') {
            event.preventDefault();
            press();
        }
    };
    return html`<g class="bar" role="button" tabindex="0" aria-pressed=${pressed ? 'true' : 'false'} aria-label=${`${column.title}: ${money.shown(total, currency)}`} onClick=${press} onKeyDown=${key}>
        <title>${column.title}: ${money.shown(total, currency)}</title>
        <rect class="ground" x=${x} y=${TOP} width=${wide} height=${HEIGHT - BOTTOM - TOP} rx="4" />
        ${column.parts.map((part) => { const size = tall(part.amount); y -= size; return size > 0 && html`<rect key=${part.key} class=${part.tone} x=${x + (wide - thick) / 2} y=${y}
            width=${thick} height=${size} />`; })}
    </g>`;
}

// Times of the API are RFC 3339 in UTC. They are shown in UTC, as bills have them; how far off they are stands beside.

export function shown(text) {
    return text ? `${text.slice(0, 10)} ${text.slice(11, 16)}` : '';
}

const UNITS = [['year', 31557600], ['month', 2629800], ['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];

export function duration(seconds) {
    const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? UNITS[5];
    const count = Math.floor(seconds / size);
    return `${count.toLocaleString('en')} ${unit}${count === 1 ? '' : 's'}`;
}

export function away(text, now = Date.now()) {
    const seconds = (Date.parse(text) - now) / 1000;
    if (Math.abs(seconds) < 5)
        return 'just now';
    return seconds > 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} ago`;
}

export const day = (date) => date.toISOString().slice(0, 10);

export function daysBetween(from, to) {
    const days = [];
    for (let at = Date.parse(`${from}T00:00:00Z`); at <= Date.parse(`${to}T00:00:00Z`); at += 86400000)
        days.push(day(new Date(at)));
    return days;
}

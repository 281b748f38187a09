// Paths of this page without loading it again: a click on a link below `base` changes the path and tells the listener.

import { useEffect, useState } from './html.js';

let base = '/';
const listeners = new Set();

export function start(at) {
    base = at;
    if (!location.pathname.startsWith(base))
        history.replaceState(null, '', `${base}/`);
    addEventListener('popstate', tell);
    document.addEventListener('click', clicked);
}

function tell() {
    for (const listener of listeners)
        listener();
}

function clicked(event) {
    const link = event.target.closest?.('a[href]');
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey ||
        link.target || link.hasAttribute('download') || link.origin !== location.origin ||
        !(link.pathname === base || link.pathname.startsWith(`${base}/`)))
        return;
    event.preventDefault();
    if (link.hash && link.pathname === location.pathname)
        return;
    go(link.pathname + link.search);
}

export function go(path, { replace = false } = {}) {
    history[replace ? 'replaceState' : 'pushState'](null, '', path);
    scrollTo(0, 0);
    tell();
}

// "/portal/instances/ins_1" below "/portal": ["instances", "ins_1"].
export const segments = () => location.pathname.slice(base.length).split('/').filter(Boolean).map(decodeURIComponent);

export const query = () => Object.fromEntries(new URLSearchParams(location.search));

export function setQuery(values) {
    const search = new URLSearchParams(Object.entries({ ...query(), ...values }).filter(([, value]) => value));
    go(`${location.pathname}${search.size ? `?${search}` : ''}`, { replace: true });
}

export function usePath() {
    const [, again] = useState(0);
    useEffect(() => {
        const listener = () => again((n) => n + 1);
        listeners.add(listener);
        return () => listeners.delete(listener);
    }, []);
    return location.pathname + location.search;
}

// The first route whose pattern fits: { screen, params, ...}. ":id" stands for one segment.
export function find(routes) {
    const path = segments();
    for (const route of routes) {
        const parts = route.path.split('/').filter(Boolean);
        const params = {};
        if (parts.length === path.length &&
            parts.every((part, i) => (part[0] === ':' ? (params[part.slice(1)] = path[i]) : part === path[i])))
            return { ...route, params };
    }
    return null;
}

// What happens on the host, as it happens: one stream of server-sent events for the page, read by fetch because an EventSource
// cannot carry a key. It comes back by itself and goes on after the last event that it had (Last-Event-ID), so nothing is missed.

import { request } from './api.js';

const listeners = new Set();
let stop = null;

// Calls `listener` with each event {seq, type, at, object, data}; returns what ends that.
export function listen(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

function tell(event) {
    for (const listener of listeners)
        listener(event);
}

// Whole events of a stream of text; what is not whole yet is kept for later.
export function* events(text, rest) {
    rest.text += text;
    for (let end; (end = rest.text.indexOf('\n\n')) >= 0; rest.text = rest.text.slice(end + 2)) {
        const fields = Object.fromEntries(rest.text.slice(0, end).split('\n').filter((line) => line && line[0] !== ':').map((line) => line.split(/: ?(.*)/s)));
        if (fields.data)
            yield { id: fields.id, event: JSON.parse(fields.data) };
    }
}

async function follow(path, signal, state) {
    const response = await request('GET', path, { accept: 'text/event-stream', lastEventId: state.last, signal });
    const rest = { text: '' }, reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
        const { value, done } = await reader.read();
        if (done)
            return;
        state.wait = 1;
        for (const { id, event } of events(value, rest)) {
            state.last = id;
            tell(event);
        }
    }
}

async function run(path, signal) {
    const state = { last: null, wait: 1 };
    while (!signal.aborted) {
        await follow(path, signal, state).catch(() => {});
        if (!signal.aborted)
            await new Promise((resolve) => { setTimeout(resolve, state.wait * 1000); });
        state.wait = Math.min(state.wait * 2, 60);
    }
}

// From logging in to logging out.
export function begin(path) {
    end();
    stop = new AbortController();
    run(path, stop.signal);
}

export function end() {
    stop?.abort();
    stop = null;
}

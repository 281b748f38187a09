// A guest's console: a terminal over a WebSocket. It counts the bytes it has, so that after a lost connection, or a restart of the
// host's api, it comes back with a new ticket and goes on at the byte where it was.

import { get, hasKey, post } from '../lib/api.js';
import { html, useEffect, useRef, useState } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { Badge, Card, Empty, Loaded, Page } from '../lib/ui.js';

const TAIL = -65536, WAIT_MS = [500, 1000, 2000, 5000, 10000];
const ENDS = { deleted: 'The instance is gone.', revoked: 'Your session has ended: log in again.' };

// One viewer from its first ticket to `close()`; `say` is told { state, viewers, why }.
function viewer(id, terminal, say) {
    let socket = null, next = null, tries = 0, over = false, timer = null;
    const encoder = new TextEncoder(), told = { state: 'connecting', viewers: 1, why: '' };
    const tell = (change) => say(Object.assign(told, change));

    function word(message) {
        if (message.offset !== undefined)
            next = message.offset;
        if (message.viewers !== undefined)
            tell({ viewers: message.viewers });
        if (message.closed && ENDS[message.closed]) {
            over = true;
            tell({ state: 'ended', why: ENDS[message.closed] });
        }
    }

    function arrived({ data }) {
        if (typeof data === 'string')
            return word(JSON.parse(data));
        next += data.byteLength;
        terminal.write(new Uint8Array(data));
        return undefined;
    }

    function again() {
        if (over)
            return;
        tell({ state: 'connecting' });
        timer = setTimeout(connect, WAIT_MS[Math.min(tries++, WAIT_MS.length - 1)]);
    }

    async function connect() {
        try {
            const { url } = await post(`/v1/instances/${id}/console_sessions`, undefined, { idempotencyKey: null });
            if (over)
                return;
            socket = new WebSocket(new URL(url, location.href.replace(/^http/, 'ws')));
            socket.binaryType = 'arraybuffer';
            socket.onopen = () => { tries = 0; socket.send(JSON.stringify({ replay_from: next ?? TAIL })); tell({ state: 'connected' }); size(terminal); };
            socket.onmessage = arrived;
            socket.onclose = again;
        } catch (error) {
            if (error.retryable)
                again();
            else
                tell({ state: 'ended', why: error.message });
        }
    }

    const send = (data) => { if (socket?.readyState === WebSocket.OPEN) socket.send(data); };
    const size = ({ cols, rows }) => send(JSON.stringify({ resize: { cols, rows } }));
    const hooks = [terminal.onData((text) => send(encoder.encode(text))), terminal.onBinary((text) => send(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))), terminal.onResize(size)];
    connect();
    return () => {
        over = true;
        clearTimeout(timer);
        hooks.forEach((hook) => hook.dispose());
        socket?.close();
    };
}

// The library and its sheet are fetched here and nowhere else.
async function library() {
    if (!document.querySelector('link[data-xterm]')) {
        const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: new URL('../npm/xterm.css', import.meta.url).href });
        link.dataset.xterm = '';
        document.head.append(link);
        await new Promise((resolve) => { link.onload = link.onerror = resolve; });
    }
    return import('../lib/terminal.js');
}

function Screen({ id, say }) {
    const place = useRef(null);
    useEffect(() => {
        let gone = false, close = () => {};
        library().then(({ openTerminal }) => {
            if (gone)
                return;
            const opened = openTerminal(place.current), end = viewer(id, opened.terminal, (told) => say({ ...told })), fit = () => opened.fit();
            addEventListener('resize', fit);
            opened.terminal.focus();
            close = () => { removeEventListener('resize', fit); end(); opened.dispose(); };
        }, () => say({ state: 'ended', viewers: 0, why: 'The terminal did not load. Load the page again.' }));
        return () => { gone = true; close(); };
    }, [id]);
    return html`<div class="console-place" ref=${place}></div>`;
}

const TONES = { connected: 'good', connecting: 'busy', ended: 'bad' };

export default function Console({ params: { id } }) {
    const load = useLoad((signal) => get(`/v1/instances/${id}`, { signal }), [id], 0, /^instance[.]/), [told, say] = useState({ state: 'connecting', viewers: 1, why: '' });
    return html`<${Page} title=${`Console${load.data ? ` of ${load.data.name}` : ''}`} back=${[`/portal/instances/${id}`, load.data?.name ?? 'Instance']}>
        ${hasKey() ? html`<${Card}><${Empty} title="The console needs a person"><p>A browser cannot show a key when it opens a console. Log in with e-mail and password, or use <code>xs console</code>.</p></${Empty}></${Card}>` :
        html`<${Card} title="Terminal" aside=${html`<span><${Badge} of=${told.state} tone=${TONES[told.state]} />${told.viewers > 1 && html`<span class="note"> ${told.viewers} viewers</span>`}</span>`}>
            ${told.why && html`<p role="alert">${told.why}</p>`}<${Screen} id=${id} say=${say} /><p class="note">What is typed while the guest does not run is lost. Leave the terminal with Shift+Tab.</p></${Card}>`}
        <${Loaded} load=${load}>${(instance) => instance.state !== 'running' && html`<p class="note">The instance is ${instance.state}.</p>`}</${Loaded}></${Page}>`;
}

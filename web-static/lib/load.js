// Hooks between a screen and the API: what it shows, kept fresh, and what it sends, once.

import { listen } from './live.js';
import { useCallback, useEffect, useRef, useState } from './html.js';

const GATHER_MS = 200;      // what happens together is one reason to ask again

// { data, error, reload }. `ask` gets a signal that ends with the screen. It is asked again when an event comes whose type
// `wants` matches, and each `every` seconds for what no event tells of, while the page is looked at. An answer replaces the
// one before it, an error keeps it.
export function useLoad(ask, deps, every = 0, wants = null) {
    const [state, set] = useState({ data: null, error: null });
    const [round, again] = useState(0);
    const reload = useCallback(() => again((n) => n + 1), []);

    useEffect(() => { set({ data: null, error: null }); }, deps);
    useEffect(() => {
        const stop = new AbortController();
        let timer, first = true;
        async function turn() {
            try {
                if (first || !document.hidden) {
                    const data = await ask(stop.signal);
                    if (!stop.signal.aborted)
                        set({ data, error: null });
                }
                first = false;
            } catch (error) {
                if (!stop.signal.aborted)
                    set((was) => ({ ...was, error }));
            }
            if (every && !stop.signal.aborted)
                timer = setTimeout(turn, every * 1000);
        }
        turn();
        return () => { stop.abort(); clearTimeout(timer); };
    }, [...deps, round]);
    useEffect(() => {
        let timer = null;
        const ending = wants && listen((event) => {
            if (wants.test(event.type) && timer === null)
                timer = setTimeout(() => { timer = null; reload(); }, GATHER_MS);
        });
        return () => { clearTimeout(timer); ending?.(); };
    }, []);
    return { ...state, reload };
}

// { busy, error, submit }. Sent again after a failure, the same values carry the same Idempotency-Key, so that a lost answer
// cannot make a thing twice; other values are another intention.
export function useSubmit(send) {
    const [state, set] = useState({ busy: false, error: null });
    const intent = useRef({ values: null, key: null });

    const submit = async (values) => {
        const spelled = JSON.stringify(values ?? null);
        if (intent.current.values !== spelled)
            intent.current = { values: spelled, key: crypto.randomUUID() };
        set({ busy: true, error: null });
        try {
            const result = await send(values, { idempotencyKey: intent.current.key });
            intent.current = { values: null, key: null };
            set({ busy: false, error: null });
            return result;
        } catch (error) {
            set({ busy: false, error });
            return undefined;
        }
    };
    return { ...state, submit, clear: () => set({ busy: false, error: null }) };
}

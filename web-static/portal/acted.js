// What is done to an instance, awaited.

import { get, post } from '../lib/api.js';

// The action, once it has ended well. `body` is {type, ...}.
export async function acted(id, body, options) {
    let action = await post(`/v1/instances/${id}/actions`, body, options);
    while (action.status === 'queued' || action.status === 'running')
        action = await get(`/v1/actions/${action.id}?wait=20`);
    if (action.status !== 'succeeded')
        throw Object.assign(new Error(action.error?.detail ?? `It ended as ${action.status}.`), { title: 'The host could not do it' });
    return action;
}

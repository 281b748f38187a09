// From page to page of a list whose cursor, `after`, stands in the address.

import { html } from './html.js';
import { setQuery } from './router.js';

const Step = ({ to, children }) => html`<button type="button" class="btn" onClick=${() => setQuery({ after: to })}>${children}</button>`;

// `next`: the list's next_cursor; null ends it.
export const Pager = ({ after, next, first = 'First page', more = 'Next page' }) => html`<div class="actions">${after && html`<${Step} to="">${first}</${Step}>`}
    ${next !== null && next !== undefined && html`<${Step} to=${String(next)}>${more}</${Step}>`}</div>`;

export const pageOf = (after) => (after ? `&after=${encodeURIComponent(after)}` : '');

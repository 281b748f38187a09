// What the operator's role may do. Who may not is told so, in place of a button that would only be refused.

import { html } from '../lib/html.js';

const ROLES = ['view', 'support', 'billing', 'admin'];

let mine = null;        // null: here by a key, whose role the page does not know; the api says what it may not

export const setRole = (role) => { mine = role; };
export const may = (role) => mine === null || ROLES.indexOf(mine) >= ROLES.indexOf(role);

// `to` is what the children do, as a sentence's beginning: "Giving credit".
export const For = ({ role, to, children }) => (may(role) ? children : html`<p class="note">${to} takes the role ${role}; yours is ${mine}.</p>`);

// The frame around every screen: places to go, who is here, the theme, and the screen that the path names. The portal and
// the console are two lists of places in it.

import { html, useEffect, useRef, useState } from './html.js';
import { find, segments, usePath } from './router.js';
import { ErrorBox, Loading, Page, Toasts } from './ui.js';

function ThemeSwitch() {
    const [theme, set] = useState(document.documentElement.dataset.theme);
    const other = theme === 'dark' ? 'light' : 'dark';
    const change = () => {
        document.documentElement.dataset.theme = other;
        localStorage.setItem('xs-theme', other);
        set(other);
    };
    return html`<button type="button" class="btn quiet" onClick=${change}>${other === 'dark' ? 'Dark' : 'Light'} theme</button>`;
}

// groups: [{ title, places: [[path, words], ...] }]
function Places({ base, groups, here }) {
    return html`<nav id="places" aria-label="Main">${groups.map((group) => html`<div class="places">
        ${group.title && html`<p class="places-title">${group.title}</p>`}
        <ul>${group.places.map(([path, words]) => html`<li><a href=${`${base}/${path}`}
            aria-current=${here === path ? 'page' : undefined}>${words}</a></li>`)}</ul></div>`)}</nav>`;
}

// A screen's module is fetched when it is first gone to; its default export is the component.
function useScreen(route) {
    const [state, set] = useState({ path: null, Screen: null, error: null });
    useEffect(() => {
        let gone = false;
        route?.screen().then((module) => gone || set({ path: route.path, Screen: module.default, error: null }),
            (error) => gone || set({ path: route.path, Screen: null, error }));
        return () => { gone = true; };
    }, [route?.path]);
    return state.path === route?.path ? state : { Screen: null, error: null };
}

function Outlet({ routes, context }) {
    const path = usePath(), route = find(routes), { Screen, error } = useScreen(route);
    const first = useRef(true);
    useEffect(() => {
        if (Screen && !first.current)
            document.querySelector('main h1')?.focus({ preventScroll: true });
        first.current = first.current && !Screen;
    }, [Screen, path.split('?')[0]]);
    if (!route)
        return html`<${Page} title="No such page"><p>There is nothing at this address. The list beside has all there is.</p></${Page}>`;
    if (error)
        return html`<${Page} title="The page did not load"><${ErrorBox} error=${{ message: 'A newer version may have been installed. Load the page again.' }}
            again=${() => location.reload()} /></${Page}>`;
    return Screen ? html`<${Screen} key=${path.split('?')[0]} ...${context} params=${route.params} />` : html`<${Loading} />`;
}

// chooser: what says and changes within what the screens are, or nothing.
export function Shell({ base, brand, groups, routes, context, who, chooser, onLeave }) {
    usePath();
    const [open, set] = useState(false);
    const here = find(routes)?.place ?? segments()[0] ?? '';
    useEffect(() => set(false), [location.pathname]);
    return html`<a class="skip" href="#main">Skip to the content</a>
        <header class="top"><a class="brand" href=${`${base}/`}><span class="mark" aria-hidden="true"></span>${brand}</a>
            <button type="button" class="btn menu" aria-expanded=${open ? 'true' : 'false'} aria-controls="side" onClick=${() => set(!open)}>Menu</button></header>
        <div class=${`side ${open ? 'open' : ''}`} id="side">${chooser}<${Places} base=${base} groups=${groups} here=${here} />
            <div class="who"><p class="note">${who}</p><${ThemeSwitch} />
            <button type="button" class="btn quiet" onClick=${onLeave}>Log out</button></div></div>
        <main id="main" tabindex="-1"><${Outlet} routes=${routes} context=${context} /></main>
        <${Toasts} />`;
}

// xterm.js under a policy that allows no inline style. It writes rules into <style> elements and colours into style attributes,
// and the policy would refuse both. From here on this page makes of them what it allows, which means the same: rules go into a
// constructed sheet, a style attribute into the element's style object. xterm's own way to be given a document does not reach
// all of its parts.

import { FitAddon } from '../npm/xterm-fit.js';
import { Terminal } from '../npm/xterm.js';

const create = document.createElement.bind(document), setAttribute = Element.prototype.setAttribute;

// What stands for a <style>: its text is the rules of a sheet, which goes when it is removed.
function sheetElement() {
    const element = create('data'), sheet = new CSSStyleSheet(), remove = element.remove.bind(element);
    element.hidden = true;
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    Object.defineProperty(element, 'textContent', { set: (text) => sheet.replaceSync(text), get: () => '' });
    element.remove = () => {
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
        remove();
    };
    return element;
}

document.createElement = (name, options) => (name === 'style' ? sheetElement() : create(name, options));
Element.prototype.setAttribute = function setStyledAttribute(name, value) {
    if (name === 'style')
        this.style.cssText = value;
    else
        setAttribute.call(this, name, value);
};

const THEME = { background: '#0e1116', foreground: '#d5dae3', cursor: '#9dbbff', selectionBackground: '#33415e' };

// { terminal, fit, dispose } in `place`.
export function openTerminal(place) {
    const fit = new FitAddon();
    const terminal = new Terminal({ fontFamily: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace', fontSize: 13, scrollback: 5000, theme: THEME, cursorBlink: false,
        screenReaderMode: true, convertEol: false });
    terminal.loadAddon(fit);
    // The one key that is not the guest's: a keyboard has to get out again.
    terminal.attachCustomKeyEventHandler((event) => !(event.key === 'Tab' && event.shiftKey));
    terminal.open(place);
    fit.fit();
    return { terminal, fit: () => fit.fit(), dispose: () => terminal.dispose() };
}

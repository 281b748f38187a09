// The one place that knows where templates and hooks come from. Text in a template is always text: it is never parsed.
export { html, render, createContext, useCallback, useContext, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState }
    from '../npm/htm-preact.js';

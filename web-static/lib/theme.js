// Runs before the page is painted, so that the dark theme does not flash; a classic script for that reason alone. Until
// somebody chooses, the theme is the system's, whenever that changes.
(() => {
    const system = matchMedia('(prefers-color-scheme: dark)');
    const apply = () => {
        const chosen = localStorage.getItem('xs-theme');
        document.documentElement.dataset.theme = ['light', 'dark'].includes(chosen) ? chosen : system.matches ? 'dark' : 'light';
    };
    system.addEventListener('change', apply);
    apply();
})();

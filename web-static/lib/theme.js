// Runs before the page is painted, so that a chosen theme does not flash; a classic script for that reason alone.
(() => {
    const chosen = localStorage.getItem('xs-theme');
    if (chosen === 'light' || chosen === 'dark')
        document.documentElement.dataset.theme = chosen;
})();

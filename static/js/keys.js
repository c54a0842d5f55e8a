/** The keys `v` and `q`, except while somebody types. */

const TYPING = 'input:not([type=range]):not([type=file]), select, textarea, [contenteditable]';

/**
 * Calls a listener for a letter anywhere on the page.
 * @param {Record<string, () => void>} listeners By lower-case letter.
 */
export function onKeys(listeners) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest?.(TYPING) || document.querySelector('dialog[open]')) return;
    const listener = listeners[event.key.toLowerCase()];
    if (!listener) return;
    event.preventDefault();
    listener();
  });
}

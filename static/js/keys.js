/** Keys that do something anywhere in a place, except while somebody types. */

const TYPING = 'input:not([type=range]):not([type=file]), select, textarea, [contenteditable]';

/**
 * Calls a listener for a letter.
 * @param {(letter: string) => boolean} listener Answers whether it did something.
 */
export function onKeys(listener) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest?.(TYPING) || document.querySelector('dialog[open]')) return;
    if (listener(event.key.toLowerCase())) event.preventDefault();
  });
}

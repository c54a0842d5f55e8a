/** The key that the service asks for: from the address, from this tab's memory, or from whoever sits here. */

import { byId } from './dom.js';
import { problemInWords } from './words.js';

const KEPT = 'semblance-key';
const IN_ADDRESS = /^#key=([\w-]+)$/;

let asking = null;
let declined = false;

takeFromAddress();

/** The key itself, for the first message of a stream. @returns {string|null} */
export const key = () => sessionStorage.getItem(KEPT);

/** What goes with every request. @returns {Record<string, string>} */
export function keyHeader() {
  const kept = key();
  return kept ? { 'X-API-Key': kept } : {};
}

/**
 * Asks for a key, once for all requests that need one; never again after a Cancel.
 * @param {Error} reason The service's refusal.
 * @returns {Promise<boolean>} Whether there is another one now.
 */
export function askForKey(reason) {
  if (declined) return Promise.resolve(false);
  asking ??= ask(reason).finally(() => { asking = null; });
  return asking;
}

function ask(reason) {
  const dialog = byId('access');
  const field = byId('access-key');
  byId('access-text').textContent = problemInWords(reason);
  field.value = '';
  return new Promise((resolve) => {
    let given = false;
    byId('access-form').onsubmit = (event) => {
      event.preventDefault();
      const typed = field.value.trim();
      if (!typed) return;
      given = true;
      sessionStorage.setItem(KEPT, typed);
      dialog.close();
    };
    byId('access-no').onclick = () => dialog.close();
    dialog.onclose = () => { declined = !given; resolve(given); };
    dialog.showModal();
    field.focus();
  });
}

/** Out of the address at once: it would stay in the history, and on the screen. */
function takeFromAddress() {
  const found = IN_ADDRESS.exec(location.hash);
  if (!found) return;
  sessionStorage.setItem(KEPT, found[1]);
  history.replaceState(null, '', location.pathname + location.search);
}

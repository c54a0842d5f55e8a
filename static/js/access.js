/** The key that the service asks for: from the address, from this tab's memory, or from whoever sits here. */

import { byId } from './dom.js';

const KEPT = 'semblance-key';
const IN_ADDRESS = /^#key=([\w-]+)$/;

let asking = null;
let declined = false;

takeFromAddress();

/** What goes with every request. @returns {Record<string, string>} */
export function keyHeader() {
  const key = sessionStorage.getItem(KEPT);
  return key ? { 'X-API-Key': key } : {};
}

/**
 * Asks for a key, once for all requests that need one; never again after a Cancel.
 * @param {string} reason
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
  byId('access-text').textContent = reason;
  field.value = '';
  return new Promise((resolve) => {
    let given = false;
    byId('access-form').onsubmit = (event) => {
      event.preventDefault();
      const key = field.value.trim();
      if (!key) return;
      given = true;
      sessionStorage.setItem(KEPT, key);
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

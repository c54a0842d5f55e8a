/** One question before something is erased. */

import { byId } from './dom.js';

/**
 * Asks; Escape and Cancel mean no.
 * @param {{title: string, text: string, action: string}} question
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, action }) {
  const dialog = byId('confirm');
  byId('confirm-title').textContent = title;
  byId('confirm-text').textContent = text;
  byId('confirm-yes').textContent = action;
  return new Promise((resolve) => {
    let answer = false;
    byId('confirm-yes').onclick = () => { answer = true; dialog.close(); };
    byId('confirm-no').onclick = () => dialog.close();
    dialog.onclose = () => resolve(answer);
    dialog.showModal();
    byId('confirm-no').focus();
  });
}

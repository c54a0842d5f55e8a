/** A failure in words, as a block to show. */

import { announce, icon, make } from './dom.js';
import { problemInWords } from './words.js';

/**
 * Says a failure, and makes what shows it.
 * @param {string} title
 * @param {any} problem
 */
export function showError(title, problem) {
  const text = problemInWords(problem);
  announce(`${title}. ${text}`);
  return make(
    'div', { class: 'notice' },
    icon('no'),
    make('div', {}, make('p', { class: 'notice-title' }, title), make('p', {}, text)),
  );
}

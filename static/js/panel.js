/** The result panel: one thing at a time. */

import { announce, byId, calm, icon, make } from './dom.js';
import { capital, reasonsInWords } from './words.js';

/**
 * Shows content in place of what was there.
 * @param {string} title
 * @param {...Node} content
 */
export function showInPanel(title, ...content) {
  byId('result-title').textContent = title;
  byId('result').replaceChildren(...content);
  byId('result').removeAttribute('aria-busy');
}

/**
 * Scrolls just as far as it takes to see an element, on a phone for instance.
 * @param {Element} element
 */
export function reveal(element) {
  element.scrollIntoView({ behavior: calm() ? 'auto' : 'smooth', block: 'nearest' });
}

/** Dims the panel while an answer is on its way. */
export const showBusy = () => byId('result').setAttribute('aria-busy', 'true');

/**
 * Shows a failure in words.
 * @param {string} title
 * @param {Error & {reasons?: string[]}} error
 */
export function showError(title, error) {
  const text = problemInWords(error);
  announce(`${title}. ${text}`);
  const notice = make(
    'div', { class: 'notice' },
    icon('no'),
    make('div', {}, make('p', { class: 'notice-title' }, title), make('p', {}, text)),
  );
  showInPanel('Result', notice);
  reveal(notice);
}

/**
 * A problem's detail, and the reasons of the quality gate.
 * @param {{detail?: string, message?: string, reasons?: string[]}} problem
 */
export function problemInWords(problem) {
  const detail = sentence(problem.detail ?? problem.message ?? '');
  const reasons = problem.reasons?.length ? `${capital(reasonsInWords(problem.reasons))}.` : '';
  return [detail, reasons].filter(Boolean).join(' ');
}

/** The service writes details as clauses: "no face was found". */
const sentence = (text) => text && capital(text).replace(/[^.?!]$/, '$&.');

/** The identity field, shared by enrolment and verification. */

import { byId, make } from './dom.js';

const input = () => byId('identity');

/**
 * The identity typed, or null after telling the person to type one.
 * @returns {string|null}
 */
export function identityOrAsk() {
  const name = input().value.trim();
  complain(name ? '' : 'Enter an identity first.');
  if (!name) input().focus();
  return name || null;
}

/** Takes a complaint away as soon as there is something in the field. */
export function watchIdentity() {
  input().addEventListener('input', () => { complain(''); });
}

/**
 * Suggests identities that are enrolled.
 * @param {string[]} names
 */
export function suggest(names) {
  byId('identity-list').replaceChildren(...names.map((name) => make('option', { value: name })));
}

function complain(text) {
  byId('identity-error').textContent = text;
  input().setAttribute('aria-invalid', String(Boolean(text)));
}

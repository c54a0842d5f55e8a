/** What is asked before an identity is changed, and the change. */

import * as api from '../api.js';
import { ask } from '../dialog.js';
import { t } from '../language.js';

const SUGGESTED = 200;

/**
 * @typedef {object} Outcome
 * @property {string} said For screen readers.
 * @property {string|null} now The identity that is there now; null if it is gone.
 */

/** @param {any} detail Of GET /v1/identities/{identity}. @returns {Promise<Outcome|null>} Null: nothing was done. */
export async function askRename({ identity }) {
  let to = identity;
  const done = await ask({
    title: t('rename.title', { identity }),
    text: t('rename.text'),
    action: t('person.rename'),
    field: { label: t('rename.label'), value: identity },
    act: (value) => { to = value; return api.rename(identity, value); },
  });
  return done ? { said: t('rename.done', { identity, to }), now: to } : null;
}

/** @param {any} detail @returns {Promise<Outcome|null>} */
export async function askMerge({ identity, references }) {
  const others = await api.identities(null, SUGGESTED).then((page) => page.identities, () => []);
  let into = '';
  const done = await ask({
    title: t('merge.title', { identity }),
    text: t('merge.text', { identity, count: references }),
    action: t('person.merge'),
    field: { label: t('merge.label'), value: '', suggestions: others.map((other) => other.identity).filter((name) => name !== identity) },
    act: (value) => { into = value; return api.merge(identity, value); },
  });
  return done ? { said: t('merge.done', { identity, into }), now: into } : null;
}

/** @param {any} detail @returns {Promise<Outcome|null>} */
export async function askDelete({ identity, references }) {
  const done = await ask({
    title: t('delete.title', { identity }),
    text: t('delete.text', { count: references }),
    action: t('delete'),
    danger: true,
    field: { label: t('delete.label', { identity }), must: identity },
    act: () => api.deleteIdentity(identity),
  });
  return done ? { said: t('delete.done', { identity }), now: null } : null;
}

/** @param {any} detail @param {string} reference @returns {Promise<Outcome|null>} */
export async function askDeleteReference({ identity, items }, reference) {
  const last = items.length === 1;
  const done = await ask({
    title: t('delete_reference.title'),
    text: last ? t('delete_reference.last', { identity }) : t('delete_reference.text', { identity, count: items.length - 1 }),
    action: t('delete'),
    danger: true,
    act: () => api.deleteReference(identity, reference),
  });
  return done ? { said: t('delete_reference.done'), now: last ? null : identity } : null;
}

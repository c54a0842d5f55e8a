/** Measures and codes of the service as words for people. */

import { capital, decimal, has, list, percent, t, whole } from './language.js';

/**
 * Why a picture was refused: "The face is blurred and the face is too dark."
 * @param {string[]} reasons
 */
const reasonsInWords = (reasons) => t('sentence', { text: capital(list(reasons.map((code) => known('reason', code)))) });

/**
 * What to do about it, in front of the camera.
 * @param {string[]} reasons
 */
export const advice = (reasons) => known('advice', reasons[0]);

/**
 * What is odd about enrolled pictures, those of one kind in one sentence:
 * "Picture 2 (a.jpg) does not look like the other pictures of ada."
 * @param {{index: number, filename: string|null, kind: string, other_identity: string|null}[]} conflicts
 * @param {string} identity Whom they were sent for.
 * @returns {string[]}
 */
export function conflictsInWords(conflicts, identity) {
  const key = ({ kind, other_identity: other }) => `${kind} ${other}`;
  return [...new Set(conflicts.map(key))].map((one) => {
    const items = conflicts.filter((item) => key(item) === one);
    const [{ index, filename, kind, other_identity: other }] = items;
    const named = items.length === 1 && filename ? t('conflict.named', { number: index + 1, name: filename }) : null;
    const pictures = named ?? list(items.map((item) => whole(item.index + 1)));
    const known = kind === 'like_another_identity' && !other ? 'like_somebody' : kind;
    return t(`conflict.${known}`, { count: items.length, pictures, identity, other: other ?? '' });
  });
}

/** Where a threshold came from. @param {string} source */
export const sourceInWords = (source) => known('source', source);

/**
 * A score or threshold with four decimals, or as many as it takes to tell it
 * from 1; never rounded to a bare 0 or 1.
 * @param {number} value In [0, 1].
 */
export function score(value) {
  if (value < 0.0001) return `<${decimal(0.0001, 4)}`;
  if (value > 0.999999) return `>${decimal(0.999999, 6)}`;
  const nines = Math.floor(-Math.log10(1 - value));
  return decimal(value, Math.min(6, Math.max(4, nines + 1)));
}

/**
 * What a false match rate of one comparison means; the rate is an upper bound.
 * @param {number|null} fmr
 * @param {number} [loosest] The highest rate that was measured.
 */
export function fmrInWords(fmr, loosest) {
  if (fmr !== null) return t('fmr.at_most', { strangers: 1 / fmr });
  return loosest ? t('fmr.more_than', { strangers: 1 / loosest }) : t('fmr.unmeasured');
}

/** What the false match rate of a whole verdict means. @param {number} fmr An upper bound. */
export const verdictFmrInWords = (fmr) => t('fmr.verdict', { strangers: 1 / fmr });

/** "quality 82%" @param {number} value */
export const quality = (value) => t('quality', { percent: percent(value) });

/** A problem's own words in the reader's language, or the service's. @param {any} problem */
export function problemInWords(problem) {
  const { code, reasons = [] } = problem;
  const detail = problem.detail ?? problem.message ?? '';
  const values = { detail, seconds: problem.retryAfterS ?? 0, id: problem.id ?? '' };
  const said = has(`problem.${code}`) ? t(`problem.${code}`, values) : capital(detail).replace(/[^.?!]$/, '$&.');
  // What the gate objects to says more than that it objects.
  return reasons.length ? reasonsInWords(reasons) : said;
}

const known = (kind, code) => (has(`${kind}.${code}`) ? t(`${kind}.${code}`) : String(code).replaceAll('_', ' '));

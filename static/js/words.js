/** Numbers and codes as words for people. */

const REJECTED = {
  face_too_small: 'the face is too small',
  low_confidence: 'the face is hard to make out',
  blurred: 'the face is blurred',
  too_dark: 'the face is too dark',
  too_bright: 'the face is too bright',
  extreme_pose: 'the head is turned too far',
  face_cut_off: 'part of the face is outside the picture',
};

const ADVICE = {
  face_too_small: 'Come closer.',
  low_confidence: 'Face the camera, with nothing in front of your face.',
  blurred: 'Hold still for a moment.',
  too_dark: 'Find more light.',
  too_bright: 'Find softer light.',
  extreme_pose: 'Look towards the camera.',
  face_cut_off: 'Bring your whole face into view.',
};

const CONFLICTS = {
  unlike_own_references: ['does not look', 'do not look', (identity) => `like the other pictures of ${identity}`],
  like_another_identity: ['looks', 'look', (identity, other) => `like ${other ? `${other}, who is enrolled too` : 'somebody else who is enrolled'}`],
};

const SOURCES = {
  request: 'set with the slider',
  fmr: 'looked up for a false match rate',
  settings: 'set by the operator',
  default: 'the model’s default',
};

/**
 * Why a picture was refused: "the face is blurred and the face is too dark".
 * @param {string[]} reasons
 */
export const reasonsInWords = (reasons) => list(reasons.map((code) => REJECTED[code] ?? plain(code)));

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
    const [looks, look, like] = CONFLICTS[kind];
    if (items.length > 1) return `Pictures ${list(items.map((item) => item.index + 1))} ${look} ${like(identity, other)}.`;
    return `Picture ${index + 1}${filename ? ` (${filename})` : ''} ${looks} ${like(identity, other)}.`;
  });
}

/**
 * What to do about it, in front of the camera.
 * @param {string[]} reasons
 */
export const advice = (reasons) => ADVICE[reasons[0]] ?? `${capital(plain(reasons[0]))}.`;

/**
 * Where a threshold came from.
 * @param {string} source
 */
export const sourceInWords = (source) => SOURCES[source] ?? plain(source);

/**
 * A score or threshold with four decimals, or as many as it takes to tell it
 * from 1; never rounded to a bare 0 or 1.
 * @param {number} value In [0, 1].
 */
export function score(value) {
  if (value < 0.0001) return '<0.0001';
  if (value > 0.999999) return '>0.999999';
  const nines = Math.floor(-Math.log10(1 - value));
  return value.toFixed(Math.min(6, Math.max(4, nines + 1)));
}

/**
 * What a false match rate means; the rate is an upper bound.
 * @param {number|null} fmr
 * @param {number} [loosest] The highest rate that was measured.
 */
export function fmrInWords(fmr, loosest) {
  if (fmr !== null) {
    return `at most about 1 in ${whole(1 / fmr)} strangers would match one reference`;
  }
  return loosest
    ? `more than 1 in ${whole(1 / loosest)} strangers would match one reference`
    : 'looser than anything that was measured';
}

/**
 * What the false match rate of a whole verdict means; it is an upper bound.
 * @param {number} fmr
 */
export const verdictFmrInWords = (fmr) => `at most about 1 in ${whole(1 / fmr)} strangers would be verified`;

/** A whole number with separators. @param {number} value */
export const whole = (value) => Math.round(value).toLocaleString('en');

/** A share as a percentage without decimals. @param {number} value */
export const percent = (value) => `${Math.round(value * 100)}%`;

/**
 * "1 reference", "2 references".
 * @param {number} amount
 * @param {string} noun
 * @param {string} [plural] Where it is not the noun with an s.
 */
export const count = (amount, noun, plural = `${noun}s`) =>
  `${whole(amount)} ${amount === 1 ? noun : plural}`;

/** A date and time as the reader writes them. @param {string} iso */
export const moment = (iso) =>
  new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** First letter in upper case. @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const plain = (code) => String(code).replaceAll('_', ' ');

function list(items) {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

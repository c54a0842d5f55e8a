/** Words in the reader's language, from static/lang; numbers, dates and lists as it writes them. */

/** Each by its own name. A language is a file of this code in static/lang, and a line here. */
export const LANGUAGES = { en: 'English', fr: 'Français', es: 'Español', ar: 'العربية' };

const RIGHT_TO_LEFT = ['ar'];
const KEPT = 'semblance-language';
const ISOLATE = ['\u2068', '\u2069'];

let texts = {};
let plurals = new Intl.PluralRules('en');
let code = 'en';

/** The language in use, such as "fr". */
export const language = () => code;

/** Whether it is written from right to left. */
const isRightToLeft = () => RIGHT_TO_LEFT.includes(code);

/** Reads the chosen language, or the first of the browser's that is there. */
export async function speak() {
  code = chosen();
  const answer = await fetch(`static/lang/${code}.json`);
  texts = await answer.json();
  plurals = new Intl.PluralRules(code);
  document.documentElement.lang = code;
  document.documentElement.dir = isRightToLeft() ? 'rtl' : 'ltr';
  translate(document);
}

/** Remembers a language, and begins anew with it. @param {string} wanted */
export function change(wanted) {
  localStorage.setItem(KEPT, wanted);
  location.reload();
}

/**
 * The text of a key, with its values in place.
 * @param {string} key One with forms for each number (`key#one`) takes them by `count`.
 * @param {Record<string, string|number>} [values] Numbers are written as whole ones.
 */
export function t(key, values = {}) {
  const text = texts[key] ?? texts[`${key}#${plurals.select(Number(values.count))}`] ?? texts[`${key}#other`] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => shown(values[name] ?? ''));
}

/** Whether there is a text. @param {string} key */
export const has = (key) => key in texts;

/** A whole number with separators. @param {number} value */
export const whole = (value) => new Intl.NumberFormat(code, { maximumFractionDigits: 0 }).format(value);

/** A number with so many decimals. @param {number} value @param {number} digits */
export const decimal = (value, digits) =>
  new Intl.NumberFormat(code, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

/** A share as a percentage. @param {number} value @param {number} [digits] Decimals at most. */
export const percent = (value, digits = 0) =>
  new Intl.NumberFormat(code, { style: 'percent', maximumFractionDigits: digits }).format(value);

/** A date and time. @param {string} iso */
export const moment = (iso) => new Intl.DateTimeFormat(code, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso));

/** A date. @param {string} iso */
export const day = (iso) => new Intl.DateTimeFormat(code, { dateStyle: 'medium' }).format(new Date(iso));

/** "a, b and c". @param {string[]} items */
export const list = (items) => new Intl.ListFormat(code, { type: 'conjunction' }).format(items);

/** First letter in upper case. @param {string} text */
export const capital = (text) => text.charAt(0).toLocaleUpperCase(code) + text.slice(1);

/** Fills in what HTML names: the text by `data-t`, an attribute by `data-t-NAME`. */
function translate(root) {
  for (const element of root.querySelectorAll('[data-t]')) element.textContent = t(element.dataset.t);
  for (const name of ['aria-label', 'placeholder', 'content']) {
    for (const element of root.querySelectorAll(`[data-t-${name}]`)) {
      element.setAttribute(name, t(element.getAttribute(`data-t-${name}`)));
    }
  }
}

function shown(value) {
  if (typeof value === 'number') return whole(value);
  // A name in Latin letters must not turn a line of Arabic around.
  return isRightToLeft() ? ISOLATE.join(value) : value;
}

function chosen() {
  const wanted = [localStorage.getItem(KEPT), ...navigator.languages];
  const known = wanted.map((tag) => tag?.split('-')[0]).find((tag) => tag in LANGUAGES);
  return known ?? 'en';
}

/** Small helpers for making elements. Text is always text, never HTML. */

const SVG = 'http://www.w3.org/2000/svg';

const ICONS = {
  yes: 'M5 13l4.5 4.5L19 7',
  no: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  plus: 'M12 5v14M5 12h14',
  front: 'M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16M9 10v.5M15 10v.5M9 15c2 1.6 4 1.6 6 0',
  left: 'M20 12H5M11 5l-7 7l7 7',
  right: 'M4 12h15M13 5l7 7l-7 7',
  up: 'M12 20V5M5 11l7-7l7 7',
  down: 'M12 4v15M5 13l7 7l7-7',
  closer: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  away: 'M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5',
};

/**
 * Finds an element by id.
 * @param {string} id
 * @returns {any}
 */
export const byId = (id) => document.getElementById(id);

/**
 * Makes an element.
 * @param {string} tag
 * @param {Record<string, any>} [properties] Attributes; `on…` names are listeners.
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {any}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  set(element, properties);
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

/** As `make`, for pictures of lines. */
export function draw(tag, properties = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  set(element, properties);
  element.append(...children);
  return element;
}

/**
 * A decorative icon; say its meaning in text beside it.
 * @param {keyof ICONS} name
 */
export const icon = (name) => draw(
  'svg', { viewBox: '0 0 24 24', class: `icon icon-${name}`, 'aria-hidden': 'true' }, draw('path', { d: ICONS[name] }),
);

/**
 * Says something to screen readers, once.
 * @param {string} text
 */
export function announce(text) {
  const region = byId('announcer');
  // The same words twice are only read again when the region changed between.
  region.textContent = '';
  setTimeout(() => { region.textContent = text; }, 50);
}

/** Whether the user asked for little motion. */
export const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/**
 * Scrolls just as far as it takes to see an element, on a phone for instance.
 * @param {Element} element
 */
export function reveal(element) {
  element.scrollIntoView({ behavior: calm() ? 'auto' : 'smooth', block: 'nearest' });
}

/**
 * Resolves after a while.
 * @param {number} milliseconds
 */
export const pause = (milliseconds) =>
  new Promise((resolve) => { setTimeout(resolve, milliseconds); });

function set(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
}

/** Small helpers for making elements. Text is always text, never HTML. */

const SVG = 'http://www.w3.org/2000/svg';

const ICONS = {
  yes: 'M5 13l4.5 4.5L19 7',
  no: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  chevron: 'M9 5l7 7-7 7',
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
 * @param {...(Node|string|null|false)} children
 * @returns {any}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/**
 * A decorative icon; say its meaning in text beside it.
 * @param {keyof ICONS} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

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
 * Resolves after a while.
 * @param {number} milliseconds
 */
export const pause = (milliseconds) =>
  new Promise((resolve) => { setTimeout(resolve, milliseconds); });

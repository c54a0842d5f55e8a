/** The places of the page, each at an address of its own, made when it is first entered. */

import { byId, make } from './dom.js';
import { t } from './language.js';
import { onKeys } from './keys.js';
import { showError } from './notice.js';

/**
 * @typedef {object} Place
 * @property {HTMLElement} root
 * @property {(part: string) => void} [enter] Called when it comes into view, with what
 *   the address says behind its name.
 * @property {() => void} [leave]
 * @property {(letter: string) => boolean} [key]
 */

const PLACES = {
  verify: { module: () => import('./verify/place.js'), styles: [] },
  people: { module: () => import('./people/place.js'), styles: ['people', 'add'] },
  model: { module: () => import('./model/place.js'), styles: ['model'] },
};
const FIRST = 'verify';
const made = {};
let here = null;
let failure = null;

/** Shows the place of the address, and those that come after. @param {HTMLElement} main */
export function begin(main) {
  addEventListener('hashchange', () => { go(main, true); });
  onKeys((letter) => made[here]?.key?.(letter) ?? false);
  document.querySelector('.skip').addEventListener('click', (event) => {
    event.preventDefault();
    (main.querySelector('.place:not([hidden]) [data-first]') ?? main).focus();
  });
  go(main, false);
}

async function go(main, moveFocus) {
  const [name, part] = read();
  const before = here;
  here = name;
  failure?.remove();
  mark(name);
  if (before && before !== name) {
    made[before]?.leave?.();
    if (made[before]) made[before].root.hidden = true;
  }
  try {
    made[name] ??= await build(name, main);
  } catch {
    // The place's own files could not be fetched.
    failure = make('div', { class: 'place' }, showError(t('place.failed'), { code: 'unreachable' }));
    main.append(failure);
    return;
  }
  // Somebody may have gone on while it was fetched.
  if (here !== name) return;
  const place = made[name];
  place.root.hidden = false;
  place.enter?.(part);
  document.title = `${t(`nav.${name}`)} · Semblance`;
  if (moveFocus) {
    place.root.querySelector('h1:not([hidden])')?.focus({ preventScroll: true });
    if (before !== name) scrollTo(0, 0);
  }
}

async function build(name, main) {
  const { module, styles } = PLACES[name];
  const [{ create }] = await Promise.all([module(), ...styles.map(style)]);
  if (made[name]) return made[name];
  const place = create();
  place.root.hidden = true;
  main.append(place.root);
  return place;
}

/** Fetches a sheet; what it is for is not shown before. */
const style = (name) => new Promise((resolve, reject) => {
  const link = make('link', { rel: 'stylesheet', href: `static/css/${name}.css`, onload: resolve, onerror: reject });
  document.head.append(link);
});

/** "#/people/add" is the place "people" and its part "add". */
function read() {
  const [, name = '', part = ''] = location.hash.match(/^#\/(\w+)\/?(\w*)$/) ?? [];
  return name in PLACES ? [name, part] : [FIRST, ''];
}

function mark(name) {
  for (const link of byId('nav').querySelectorAll('a')) {
    if (link.hash === `#/${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

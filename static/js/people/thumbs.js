/** Small pictures of references, fetched when they come into view, a few at a time. */

import * as api from '../api.js';
import { make } from '../dom.js';
import { t } from '../language.js';

const AT_ONCE = 3;
const SCALE = Math.min(2, devicePixelRatio);
const NOT_HERE = ['images_not_served', 'missing_scope'];

const waiting = [];
let running = 0;
let served = true;

/**
 * A square with the initial of a name until the picture is there; it stays if none is kept.
 * @param {string} identity
 * @param {() => Promise<string>|string} reference Asked for its id when the square is seen.
 * @param {number} sizePx
 * @param {string} [alt] What it shows, where no text beside it says so.
 */
export function thumb(identity, reference, sizePx, alt = '') {
  const initial = make('span', { 'aria-hidden': 'true' }, [...identity][0].toLocaleUpperCase());
  const root = make('span', { class: 'thumb', 'data-size': String(sizePx) }, initial);
  const watcher = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    watcher.disconnect();
    waiting.push(() => fetchInto(root, identity, reference, sizePx, alt));
    next();
  });
  watcher.observe(root);
  return root;
}

async function next() {
  if (running >= AT_ONCE || !waiting.length) return;
  running += 1;
  try {
    await waiting.shift()();
  } finally {
    running -= 1;
    next();
  }
}

async function fetchInto(root, identity, reference, sizePx, alt) {
  if (!served || !root.isConnected) return;
  try {
    const blob = await api.referenceImage(identity, await reference(), Math.round(sizePx * SCALE));
    const address = URL.createObjectURL(blob);
    const image = make('img', { src: address, alt: alt || t('people.picture', { identity }), width: String(sizePx), height: String(sizePx) });
    image.addEventListener('load', () => { URL.revokeObjectURL(address); root.replaceChildren(image); });
  } catch (error) {
    // Where pictures are not served at all, asking for each would be in vain.
    served = !NOT_HERE.includes(error.code);
  }
}

/** The references of one identity. */

import { make } from '../dom.js';
import { moment, t } from '../language.js';
import { quality, score } from '../words.js';
import { thumb } from './thumbs.js';

const PICTURE_PX = 72;

/**
 * A list of references, each with its quality, its agreement and a way to delete it.
 * @param {{identity: string, items: any[]}} detail
 * @param {(referenceId: string) => void} onDelete
 */
export const referenceList = (detail, onDelete) =>
  make('ul', { class: 'references' }, ...detail.items.map((item, index) => row(detail, item, index, onDelete)));

function row({ identity, items }, item, index, onDelete) {
  const number = index + 1;
  return make(
    'li', {},
    thumb(identity, () => item.reference_id, PICTURE_PX, t('reference.number', { number })),
    make(
      'div', { class: 'grow' },
      make('p', { class: 'reference-name', title: item.reference_id }, make('bdi', {}, item.filename ?? t('reference.unnamed', { number }))),
      make('p', { class: 'tile-note' }, quality(item.quality), ' · ', make('time', { datetime: item.created_at }, moment(item.created_at))),
      agreement(item, items.length - 1),
    ),
    make(
      'button', { type: 'button', class: 'button quiet small', onclick: () => { onDelete(item.reference_id); } },
      t('delete'), make('span', { class: 'visually-hidden' }, ` ${t('reference.number', { number })}`),
    ),
  );
}

/** A bar of how alike it is to the others; a wrong picture stands out. */
function agreement({ agreement: found, outlier }, others) {
  if (!found) return false;
  const text = t(outlier ? 'reference.outlier' : 'reference.agrees', { count: others, score: score(found.median) });
  const bar = make('span', { class: 'agreement-bar', 'aria-hidden': 'true' }, make('span'));
  bar.firstChild.style.inlineSize = `${Math.round(found.median * 100)}%`;
  return make('p', { class: outlier ? 'agreement outlier' : 'agreement' }, bar, text);
}

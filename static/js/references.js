/** The references of one identity. */

import { make } from './dom.js';
import { moment, percent, score } from './words.js';

/**
 * A list of references, each with its quality and a way to delete it.
 * @param {{identity: string, items: any[]}} detail
 * @param {(referenceId: string) => void} onDelete
 */
export function referenceList(detail, onDelete) {
  return make('ul', { class: 'references' }, ...detail.items.map((item, index) => row(item, index, detail.items.length - 1, onDelete)));
}

function row(item, index, others, onDelete) {
  const id = item.reference_id;
  return make(
    'li', {},
    make('span', { class: 'ordinal' }, String(index + 1)),
    make('span', { class: 'reference-name' }, item.filename ?? 'unnamed picture',
      make('code', { title: id }, id.slice(0, 8)),
      item.outlier && make('span', { class: 'outlier' }, unlike(item.agreement, others))),
    make('span', { class: 'quality' }, `quality ${percent(item.quality)}`),
    make('time', { datetime: item.created_at }, moment(item.created_at)),
    make(
      'button', { type: 'button', class: 'button quiet small', onclick: () => { onDelete(id); } },
      'Delete', make('span', { class: 'visually-hidden' }, ` reference ${index + 1}`),
    ),
  );
}

const unlike = (agreement, others) =>
  `Unlike the ${others === 1 ? 'other one' : 'others'}: score ${score(agreement.median)}`;

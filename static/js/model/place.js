/** Model: what is loaded, how often it errs, and what a threshold costs. */

import { asking } from '../asking.js';
import { make } from '../dom.js';
import { t } from '../language.js';
import { showError } from '../notice.js';
import { costs } from './costs.js';
import { Det } from './det.js';
import { loaded, rateTable } from './table.js';
import { Thresholds } from './thresholds.js';

/** @returns {import('../places.js').Place} */
export function create() {
  const content = make('div', { class: 'model-grid' }, make('p', { class: 'empty' }, t('model.reading')));
  const root = make(
    'div', { class: 'place model' },
    make('div', { class: 'place-head' }, make('h1', { tabindex: '-1', 'data-first': true }, t('nav.model')), make('p', { class: 'lead' }, t('model.lead'))),
    content,
  );
  return { root, enter: () => { fill(content); } };
}

async function fill(content) {
  if (content.dataset.filled) return;
  try {
    const model = await asking.load();
    if (content.dataset.filled) return;
    content.dataset.filled = 'true';
    content.replaceChildren(...parts(model));
  } catch (error) {
    content.replaceChildren(showError(t('model.unknown'), error));
  }
}

function parts(model) {
  const { points } = model.calibration;
  const { detection_threshold: usual } = model.thresholds;
  const det = new Det(points);
  const follow = () => { det.at(costs(points, asking.wanted.detection ?? usual)); };
  asking.addEventListener('change', follow);
  follow();
  return [
    panel('area-thresholds', t('thresholds'), new Thresholds(model).root),
    panel('area-det', t('det'), det.root, make('p', { class: 'help' }, t('det.help'))),
    panel('area-rates', t('table'), rateTable(points, usual), make('p', { class: 'help' }, t('table.help'))),
    panel('area-loaded', t('loaded'), loaded(model)),
  ];
}

const panel = (area, title, ...content) => make('section', { class: `panel ${area}` }, make('h2', {}, title), ...content);

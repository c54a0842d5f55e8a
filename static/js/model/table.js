/** The model's measured error rates as a table, and what is loaded as a list. */

import { make } from '../dom.js';
import { day, decimal, percent, t, whole } from '../language.js';
import { score } from '../words.js';

/**
 * One row for each measured rate.
 * @param {any[]} points
 * @param {number} inForce The threshold whose row is marked.
 */
export function rateTable(points, inForce) {
  const heads = ['fmr', 'threshold', 'fmr_interval', 'fnmr', 'fnmr_interval'].map((name) => make('th', { scope: 'col' }, t(`table.${name}`)));
  const rows = points.map((point) => make(
    'tr', { 'data-current': point.threshold === inForce },
    make('th', { scope: 'row' }, t('det.one_in', { number: whole(1 / point.fmr) }), point.threshold === inForce && make('span', { class: 'tag' }, t('table.in_force'))),
    make('td', {}, score(point.threshold)),
    make('td', {}, t('table.one_in_range', { from: whole(1 / point.fmr_interval[1]), to: whole(1 / point.fmr_interval[0]) })),
    make('td', {}, percent(point.fnmr, 2)),
    make('td', {}, t('table.range', { from: percent(point.fnmr_interval[0], 2), to: percent(point.fnmr_interval[1], 2) })),
  ));
  return make(
    'div', { class: 'table-frame', tabindex: '0', role: 'region', 'aria-label': t('table') },
    make('table', {}, make('thead', {}, make('tr', {}, ...heads)), make('tbody', {}, ...rows)),
  );
}

/** What is loaded. @param {any} model Of GET /v1/model. */
export function loaded(model) {
  const { calibration } = model;
  const rows = [
    ['model', `${model.name} ${model.version}`],
    ['next', model.next && `${model.next.name} ${model.next.version}`],
    ['fingerprint', model.fingerprint],
    ['runtime', t('loaded.runtime_and', { runtime: model.runtime, precision: model.precision })],
    ['size', t('loaded.size_is', { height: model.input_size[0], width: model.input_size[1], numbers: model.embedding_size })],
    ['accuracy', t('loaded.accuracy_is', { accuracy: percent(calibration.accuracy, 2), error: decimal(calibration.accuracy_standard_error * 100, 2) })],
    ['measured', t('loaded.measured_on', { dataset: calibration.dataset, day: day(calibration.measured_on) })],
    ['pairs', t('loaded.pairs_are', { impostor: calibration.impostor_pairs, genuine: calibration.genuine_pairs })],
    ...model.weights.map(({ file, licence }) => ['weights', t('loaded.weights_are', { file, licence })]),
  ];
  return make('dl', { class: 'facts' }, ...rows.filter(([, text]) => text).map(([name, text]) => make(
    'div', {}, make('dt', {}, t(`loaded.${name}`)), make('dd', {}, make('bdi', {}, text)),
  )));
}

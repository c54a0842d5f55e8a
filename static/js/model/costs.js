/**
 * What a threshold costs: strangers let in, own people turned away.
 *
 * Measured at a few thresholds. Between two of them both rates are read off straight
 * lines through the logarithms, over the threshold's log-odds; beyond the first and the
 * last nothing is claimed but that it is more, or fewer.
 */

import { logOdds } from '../scale.js';

/**
 * Both rates of one comparison at a threshold.
 * @param {{threshold: number, fmr: number, fnmr: number}[]} points
 * @param {number} threshold
 * @returns {{fmr: number, fnmr: number, beyond: 'loose'|'strict'|null}} Beyond the table:
 *   the rates of its end.
 */
export function costs(points, threshold) {
  const sorted = [...points].sort((a, b) => a.threshold - b.threshold);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (threshold < first.threshold) return { fmr: first.fmr, fnmr: first.fnmr, beyond: 'loose' };
  if (threshold > last.threshold) return { fmr: last.fmr, fnmr: last.fnmr, beyond: 'strict' };
  const at = Math.max(1, sorted.findIndex((point) => point.threshold >= threshold));
  const [before, after] = [sorted[at - 1], sorted[at]];
  const [from, to] = [logOdds(before.threshold), logOdds(after.threshold)];
  const share = to > from ? (logOdds(threshold) - from) / (to - from) : 1;
  const between = (name) => Math.exp(Math.log(before[name]) * (1 - share) + Math.log(after[name]) * share);
  return { fmr: between('fmr'), fnmr: between('fnmr'), beyond: null };
}

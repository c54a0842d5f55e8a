/**
 * The axis that scores are drawn on: log-odds, log(s / (1 - s)).
 *
 * Scores crowd near 0 and 1; on this axis 0.99 and 0.999 are as far apart as
 * 0.01 and 0.001. What lies beyond the ends is drawn at the end.
 */

/** Ends of the axis in log-odds: 0.0001 and 0.9999. */
export const END = Math.log(0.9999 / 0.0001);

/** Labelled places; `minor` ones are left out where there is little room. */
export const TICKS = [
  { value: 0.001 },
  { value: 0.01, minor: true },
  { value: 0.1 },
  { value: 0.5, minor: true },
  { value: 0.9 },
  { value: 0.99, minor: true },
  { value: 0.999 },
];

/**
 * Log-odds of a score, held within the axis.
 * @param {number} value In [0, 1].
 */
export const logOdds = (value) =>
  Math.max(-END, Math.min(END, Math.log(value / (1 - value))));

/**
 * The score of log-odds, with as many digits as are shown.
 * @param {number} odds
 */
export const fromLogOdds = (odds) => Number((1 / (1 + Math.exp(-odds))).toFixed(4));

/**
 * Place of a score along the axis, as a percentage.
 * @param {number} value In [0, 1].
 */
export const place = (value) => ((logOdds(value) + END) / (2 * END)) * 100;

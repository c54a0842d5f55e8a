/**
 * The axis that scores are drawn on: log-odds, log(s / (1 - s)).
 *
 * Scores crowd near 0 and 1; on this axis 0.99 and 0.999 are as far apart as
 * 0.01 and 0.001. What lies beyond the ends is drawn at the end. It reaches
 * further towards 1, where the scores of one person differ.
 */

const odds = (value) => Math.log(value / (1 - value));

/** Ends of the axis, in log-odds. */
export const ENDS = { low: odds(0.0001), high: odds(0.999999) };

/** Labelled places; `minor` ones are left out where there is little room. */
export const TICKS = [
  { value: 0.001, minor: true },
  { value: 0.01 },
  { value: 0.1, minor: true },
  { value: 0.5 },
  { value: 0.9, minor: true },
  { value: 0.99, minor: true },
  { value: 0.9999 },
];

/**
 * Log-odds of a score, held within the axis.
 * @param {number} value In [0, 1].
 */
export const logOdds = (value) => Math.max(ENDS.low, Math.min(ENDS.high, odds(value)));

/**
 * The score of log-odds, with as many digits as are shown.
 * @param {number} value
 */
export const fromLogOdds = (value) => Number((1 / (1 + Math.exp(-value))).toFixed(6));

/**
 * Place of a score along the axis, as a percentage.
 * @param {number} value In [0, 1].
 */
export const place = (value) => ((logOdds(value) - ENDS.low) / (ENDS.high - ENDS.low)) * 100;

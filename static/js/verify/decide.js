/** The service's decision, made again in the browser with other thresholds. */

/**
 * Decides on scores: one matches above the detection threshold, and the person
 * is verified when the share of matches is above the verification threshold, or
 * a fused score above the detection threshold.
 * All comparisons are strict, as in the service.
 * @param {{score: number}[]} scores
 * @param {number} detection
 * @param {number} verification
 * @param {number|null} [fused] Decides instead of the share, if there is one.
 */
export function decide(scores, detection, verification, fused = null) {
  const matched = scores.filter((item) => item.score > detection).length;
  const share = scores.length ? matched / scores.length : 0;
  return { matched, share, verified: fused === null ? share > verification : fused > detection };
}

/**
 * The strictest measured rate that a threshold reaches; null below the table.
 * @param {{fmr: number, threshold: number}[]} points
 * @param {number} threshold
 * @returns {number|null}
 */
export function fmrOf(points, threshold) {
  const reached = points.filter((point) => point.threshold <= threshold);
  return reached.length ? Math.min(...reached.map((point) => point.fmr)) : null;
}

/**
 * How many of some references must match for a share above a threshold.
 * @param {number} references
 * @param {number} threshold
 */
export const needed = (references, threshold) => {
  let matched = 0;
  while (matched <= references && !(matched / references > threshold)) matched += 1;
  return matched;
};

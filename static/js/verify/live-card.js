/** The answer to a live verification. */

import { make } from '../dom.js';
import { capital, decimal, t } from '../language.js';
import { fmrInWords, score, sourceInWords, verdictFmrInWords } from '../words.js';
import { fact, VerdictHead } from './parts.js';

/** One result of the verify stream as a card. */
export class LiveCard {
  /**
   * @param {any} result
   * @param {HTMLElement} thumbnail
   * @param {number} seconds From the first frame to the result.
   * @param {{fmr: number, threshold: number}[]} points The calibration table.
   */
  constructor(result, thumbnail, seconds, points) {
    this.head = new VerdictHead(thumbnail);
    const { verified, identity, frames, matching, why } = result;
    const took = decimal(seconds, 1);
    const counted = matching === null
      ? t('live.frames', { count: frames, seconds: took })
      : t('live.matching', { count: frames, matching, seconds: took });
    this.head.say(verified, identity, make('strong', {}, counted), ` ${verified ? '' : t(`live.why.${why}`)}`);
    this.root = make('article', { class: 'card' }, this.head.root, facts(result, points));
  }

  /** What it says, in one line. */
  get summary() {
    return this.head.summary;
  }

  /** Nothing can be decided again: the frames are gone. */
  redecide() {}
}

function facts({ detection_threshold: detection, fmr, verdict_fmr: verdictFmr }, points) {
  if (!detection) return make('p', { class: 'help after' }, t('live.nothing_compared'));
  const loosest = points.length ? Math.max(...points.map((point) => point.fmr)) : undefined;
  const threshold = fact(t('fact.detection'));
  threshold.set(score(detection.value), sourceInWords(detection.source));
  const rate = fact(t('fact.fmr'));
  rate.set(null, capital(fmrInWords(fmr, loosest)));
  const verdict = fact(t('fact.verdict_fmr'));
  if (verdictFmr !== null) verdict.set(null, capital(verdictFmrInWords(verdictFmr)));
  return make('dl', { class: 'facts' }, threshold.root, rate.root, verdictFmr !== null && verdict.root);
}

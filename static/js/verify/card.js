/** The answer to one picture, and how it would read with other thresholds. */

import { make } from '../dom.js';
import { capital, decimal, percent, t, whole } from '../language.js';
import { fmrInWords, score, sourceInWords, verdictFmrInWords } from '../words.js';
import { Chart } from './chart.js';
import { decide, fmrOf, needed } from './decide.js';
import { fact, VerdictHead } from './parts.js';

/** The order in which a probe goes through them. */
const STAGES = ['decode', 'detect', 'align', 'embed', 'references', 'score', 'total'];

/** One answer of POST /v1/verify as a card. */
export class Card {
  /**
   * @param {any} answer
   * @param {HTMLElement} thumbnail Of the probe.
   * @param {number} roundTripMs Seen from this page.
   * @param {{fmr: number, threshold: number}[]} points The calibration table.
   */
  constructor(answer, thumbnail, roundTripMs, points) {
    this.answer = answer;
    this.points = points;
    this.chart = new Chart(answer.scores);
    this.head = new VerdictHead(thumbnail);
    this.note = make('p', { class: 'redecided', hidden: true });
    this.detection = fact(t('fact.detection'));
    this.verification = fact(t('fact.verification'));
    this.rate = fact(t('fact.fmr'));
    this.verdictRate = fact(t('fact.verdict_fmr'));
    const facts = [this.detection, !this.fused && this.verification, this.rate, this.verdictRate];
    this.root = make(
      'article', { class: 'card' },
      this.head.root, this.note, answer.scores.length > 0 && this.chart.root,
      make('dl', { class: 'facts' }, ...facts.map((item) => item && item.root)),
      timings(answer.timings_ms, roundTripMs),
    );
    this.redecide(null);
  }

  /** Whether one score of all references decided, not the share that match. */
  get fused() {
    return this.answer.fused_score !== null;
  }

  /** What it says, in one line. */
  get summary() {
    return this.head.summary;
  }

  /**
   * Decides again with the thresholds of the sliders.
   * @param {{detection: number|null, verification: number}|null} inForce None: as answered.
   */
  redecide(inForce) {
    const { answer } = this;
    const given = { detection: answer.detection_threshold, verification: answer.verification_threshold };
    const detection = inForce?.detection ?? given.detection.value;
    const verification = inForce?.verification ?? given.verification.value;
    // A key that may not see scores leaves nothing to decide by.
    const asAnswered = !answer.scores.length
      || (detection === given.detection.value && (this.fused || verification === given.verification.value));
    const decision = asAnswered ? answer : decide(answer.scores, detection, verification, answer.fused_score);
    this.drawVerdict(decision, detection, verification);
    this.note.hidden = asAnswered;
    const was = t(answer.verified ? 'redecided.yes' : 'redecided.no');
    const matches = this.fused ? '' : t('redecided.matches', { matched: answer.matched, count: answer.references });
    this.note.textContent = t('redecided', { answer: [was, matches].filter(Boolean).join(' ') });
    this.chart.decide(detection);
    this.drawFacts(detection, verification, given, asAnswered);
  }

  drawVerdict({ verified, matched, share }, detection, verification) {
    const { identity, references, fusion, fused_score: fused } = this.answer;
    if (this.fused) {
      this.head.say(
        verified, identity,
        make('strong', {}, t('verdict.fused', { score: score(fused) })), ' ',
        t('verdict.fused_of', { what: t(`fusion.${fusion}.score`), count: references, threshold: score(detection) }),
      );
      return;
    }
    const least = needed(references, verification);
    const enough = least > references ? t('verdict.never') : t('verdict.needed', { count: least });
    this.head.say(
      verified, identity,
      make('strong', {}, t('verdict.matched', { matched, count: references })),
      ` (${percent(share)}; ${enough})`,
    );
  }

  drawFacts(detection, verification, given, asAnswered) {
    const source = (threshold, value) => sourceInWords(threshold.value === value ? threshold.source : 'request');
    this.detection.set(score(detection), source(given.detection, detection));
    this.verification.set(percent(verification), source(given.verification, verification));
    const fmr = asAnswered ? this.answer.fmr : fmrOf(this.points, detection);
    const loosest = this.points.length ? Math.max(...this.points.map((point) => point.fmr)) : undefined;
    this.rate.set(null, capital(fmrInWords(fmr, loosest)));
    const { verdict_fmr: verdictFmr } = this.answer;
    this.verdictRate.root.hidden = !asAnswered || verdictFmr === null;
    if (verdictFmr !== null) this.verdictRate.set(null, capital(verdictFmrInWords(verdictFmr)));
  }
}

function timings(stages, roundTripMs) {
  const names = STAGES.filter((name) => name in stages);
  const rows = names.map((name) => timing(name, stages[name]));
  rows.push(timing('round_trip', roundTripMs));
  return make('section', { class: 'timings', 'aria-label': t('timings') }, make('h2', {}, t('timings')), make('dl', {}, ...rows));
}

function timing(name, milliseconds) {
  const number = milliseconds < 10 ? decimal(milliseconds, 1) : whole(milliseconds);
  return make('div', { 'data-stage': name }, make('dt', {}, t(`stage.${name}`)), make('dd', {}, t('milliseconds', { number })));
}

/** The answer to a verification, and how it would read with other thresholds. */

import { Chart } from './chart.js';
import { decide, fmrOf, needed } from './decide.js';
import { icon, make } from './dom.js';
import { fusedOf } from './fusion.js';
import { capital, count, fmrInWords, percent, score, sourceInWords, verdictFmrInWords, whole } from './words.js';

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
    this.verdict = make('p', { class: 'verdict-word' });
    this.mark = make('span', { class: 'verdict-mark' });
    this.shareLine = make('p', { class: 'verdict-share' });
    this.note = make('p', { class: 'redecided', hidden: true });
    this.detection = fact('Detection threshold');
    this.verification = fact('Verification threshold');
    this.rate = fact('False matches');
    this.verdictRate = fact('False verdicts');
    const facts = [this.detection, !this.fused && this.verification, this.rate, this.verdictRate];
    this.head = make(
      'div', { class: 'verdict' },
      make('figure', { class: 'probe' }, thumbnail, make('figcaption', {}, 'Probe')),
      make('div', { class: 'verdict-text' }, make('div', { class: 'verdict-line' }, this.mark, this.verdict), this.shareLine),
    );
    this.root = make(
      'article', { class: 'card' },
      this.head, this.note, this.chart.root,
      make('dl', { class: 'facts' }, ...facts.map((item) => item && item.root)),
      timings(answer.timings_ms, roundTripMs),
    );
    this.redecide(null);
  }

  /** Whether one score of all references decided, not the share that match. */
  get fused() {
    return this.answer.fused_score !== null;
  }

  /** "Verified as ada. 8 of 10 references match." */
  get summary() {
    return `${this.verdict.textContent}. ${this.shareLine.textContent}.`;
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
    const asAnswered = detection === given.detection.value && (this.fused || verification === given.verification.value);
    const decision = asAnswered ? answer : decide(answer.scores, detection, verification, answer.fused_score);
    this.drawVerdict(decision, detection, verification);
    this.note.hidden = asAnswered;
    const matches = this.fused ? '' : `, ${answer.matched} of ${count(answer.references, 'reference')}`;
    this.note.textContent = `Decided again on this page with the sliders. The service answered: ${
      answer.verified ? 'verified' : 'not verified'}${matches}.`;
    this.chart.decide(detection);
    this.drawFacts(detection, verification, given, asAnswered);
  }

  drawVerdict({ verified, matched, share }, detection, verification) {
    const { identity, references, fusion, fused_score: fused } = this.answer;
    this.head.dataset.verified = String(verified);
    this.mark.replaceChildren(icon(verified ? 'yes' : 'no'));
    this.verdict.replaceChildren(verified ? 'Verified' : 'Not verified', make('span', {}, ` as ${identity}`));
    if (this.fused) {
      this.shareLine.replaceChildren(
        make('strong', {}, `Fused score ${score(fused)}`),
        ` (${fusedOf(fusion)} of ${count(references, 'reference')}), more than ${score(detection)}\u00a0needed`,
      );
      return;
    }
    const least = needed(references, verification);
    this.shareLine.replaceChildren(
      make('strong', {}, `${matched} of ${count(references, 'reference')} ${references === 1 ? 'matches' : 'match'}`),
      ` (${percent(share)}), ${least > references ? 'more than there are' : `${least}\u00a0needed`}`,
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

function fact(name) {
  const value = make('strong');
  const note = make('span');
  const root = make('div', {}, make('dt', {}, name), make('dd', {}, value, ' ', note));
  return {
    root,
    set(number, words) {
      value.textContent = number ?? '';
      note.textContent = words;
    },
  };
}

function timings(stages, roundTripMs) {
  const names = [...new Set([...STAGES, ...Object.keys(stages)])].filter((name) => name in stages);
  const rows = names.map((name) => timing(name, stages[name]));
  rows.push(timing('round trip', roundTripMs));
  return make('section', { class: 'timings', 'aria-label': 'Timings' }, make('h3', {}, 'Time taken'), make('dl', {}, ...rows));
}

function timing(name, milliseconds) {
  const text = milliseconds < 10 ? milliseconds.toFixed(1) : whole(milliseconds);
  return make('div', { 'data-stage': name }, make('dt', {}, name), make('dd', {}, `${text} ms`));
}

/** The rule and two sliders. What is left alone sends nothing: the service decides. */

import { fmrOf, needed } from './decide.js';
import { byId, make } from './dom.js';
import { FusionChoice } from './fusion.js';
import { ENDS, fromLogOdds, logOdds } from './scale.js';
import { Slider } from './slider.js';
import { capital, fmrInWords, percent, score } from './words.js';

/** The thresholds that the person at the page wants. */
export class Thresholds {
  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.model = null;
    this.sliders = {};
    this.fusion = null;
  }

  /** What to send: null where it was left at its default. */
  get wanted() {
    return {
      fusion: this.fusion?.override ?? null,
      detection: this.sliders.detection?.override ?? null,
      verification: this.sliders.verification?.override ?? null,
    };
  }

  /**
   * What is in force on this page, defaults filled in; null before the model is known.
   * A fused score's default threshold is null: only the service knows it.
   * @param {string} rule Of the answer that is decided again.
   */
  inForce(rule) {
    if (!this.model) return null;
    const { thresholds } = this.model;
    const { detection, verification } = this.wanted;
    return {
      detection: detection ?? (rule === 'share' ? thresholds.detection_threshold : null),
      verification: verification ?? thresholds.verification_threshold,
    };
  }

  /** The calibration table, or nothing before the model is known. */
  get points() {
    return this.model?.calibration.points ?? [];
  }

  /**
   * Draws the rule and the sliders.
   * @param {any} model Of GET /v1/model.
   */
  show(model) {
    this.model = model;
    this.fusion = new FusionChoice(model.thresholds.fusion, () => { this.follow(); });
    this.sliders = {
      detection: new Slider({
        id: 'detection',
        label: 'Detection threshold',
        help: () => (this.shares ? 'A reference matches when its score is above this.' : 'Verified when the fused score is above this.'),
        initial: model.thresholds.detection_threshold,
        range: { min: ENDS.low, max: ENDS.high, step: 0.01 },
        toSlider: logOdds,
        fromSlider: fromLogOdds,
        shown: score,
        meaning: (value) => this.fmrText(value),
        unset: () => (this.shares ? null : 'The service takes the threshold for this rule and number of references.'),
      }, this.onChange),
      verification: new Slider({
        id: 'verification',
        label: 'Verification threshold',
        help: () => 'Verified when the share of matching references is above this.',
        initial: model.thresholds.verification_threshold,
        range: { min: 0, max: 0.99, step: 0.01 },
        toSlider: (value) => value,
        fromSlider: (value) => value,
        shown: percent,
        meaning: (value) => `Of 10 references, at least ${needed(10, value)} must match.`,
      }, this.onChange),
    };
    const { dataset, measured_on: day } = model.calibration;
    const source = make('p', { class: 'help source' }, `False match rates were measured on ${dataset}, on ${day}.`);
    byId('thresholds').replaceChildren(this.fusion.root, this.sliders.detection.root, this.sliders.verification.root, source);
    this.follow();
  }

  /** Whether the rule is the share of references that match. */
  get shares() {
    return this.fusion.rule === 'share';
  }

  /** The sliders as the chosen rule has them; an answer on show keeps its own rule. */
  follow() {
    this.sliders.verification.root.hidden = !this.shares;
    this.sliders.detection.draw();
  }

  fmrText(threshold) {
    const loosest = Math.max(...this.points.map((point) => point.fmr));
    return `${capital(fmrInWords(fmrOf(this.points, threshold), loosest))}.`;
  }
}

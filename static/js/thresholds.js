/** Two sliders. A slider left alone sends nothing: the service decides. */

import { fmrOf, needed } from './decide.js';
import { byId, make } from './dom.js';
import { ENDS, fromLogOdds, logOdds } from './scale.js';
import { capital, fmrInWords, percent, score } from './words.js';

/** The thresholds that the person at the page wants. */
export class Thresholds {
  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.model = null;
    this.sliders = {};
  }

  /** What to send: null where the slider was left at its default. */
  get wanted() {
    return {
      detection: this.sliders.detection?.override ?? null,
      verification: this.sliders.verification?.override ?? null,
    };
  }

  /** What is in force on this page, defaults filled in; null before the model is known. */
  get inForce() {
    if (!this.model) return null;
    const { thresholds } = this.model;
    const { detection, verification } = this.wanted;
    return {
      detection: detection ?? thresholds.detection_threshold,
      verification: verification ?? thresholds.verification_threshold,
    };
  }

  /** The calibration table, or nothing before the model is known. */
  get points() {
    return this.model?.calibration.points ?? [];
  }

  /**
   * Draws the sliders.
   * @param {any} model Of GET /v1/model.
   */
  show(model) {
    this.model = model;
    this.sliders = {
      detection: new Slider({
        id: 'detection',
        label: 'Detection threshold',
        help: 'A reference matches when its score is above this.',
        initial: model.thresholds.detection_threshold,
        range: { min: ENDS.low, max: ENDS.high, step: 0.01 },
        toSlider: logOdds,
        fromSlider: fromLogOdds,
        shown: score,
        meaning: (value) => this.fmrText(value),
      }, this.onChange),
      verification: new Slider({
        id: 'verification',
        label: 'Verification threshold',
        help: 'Verified when the share of matching references is above this.',
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
    byId('thresholds').replaceChildren(this.sliders.detection.root, this.sliders.verification.root, source);
  }

  fmrText(threshold) {
    const loosest = Math.max(...this.points.map((point) => point.fmr));
    return `${capital(fmrInWords(fmrOf(this.points, threshold), loosest))}.`;
  }
}

class Slider {
  constructor(options, onChange) {
    this.options = options;
    this.onChange = onChange;
    this.override = null;
    const { id, label, help, range } = options;
    this.input = make('input', {
      type: 'range', id: `${id}-threshold`, ...range,
      'aria-describedby': `${id}-help ${id}-meaning`, oninput: () => { this.moved(); },
    });
    this.output = make('output', { for: `${id}-threshold` });
    this.meaning = make('p', { class: 'meaning', id: `${id}-meaning` });
    this.reset = make('button', { type: 'button', class: 'link', onclick: () => { this.toDefault(); } }, 'use model default');
    this.root = make(
      'div', { class: 'slider' },
      make(
        'div', { class: 'slider-head' },
        make('label', { for: `${id}-threshold` }, label),
        make('div', { class: 'slider-value' }, this.output, this.reset),
      ),
      make('p', { class: 'help', id: `${id}-help` }, help),
      this.input,
      this.meaning,
    );
    this.input.value = String(options.toSlider(options.initial));
    this.draw();
  }

  moved() {
    this.override = this.options.fromSlider(this.input.valueAsNumber);
    this.draw();
    this.onChange();
  }

  toDefault() {
    this.override = null;
    this.input.value = String(this.options.toSlider(this.options.initial));
    this.draw();
    this.onChange();
    // The button disappears; the keyboard's place must not.
    this.input.focus();
  }

  draw() {
    const value = this.override ?? this.options.initial;
    const text = this.options.shown(value);
    const meaning = this.options.meaning(value);
    this.output.textContent = this.override === null ? `${text} (default)` : text;
    this.input.setAttribute('aria-valuetext', `${text}. ${meaning}`);
    this.meaning.textContent = meaning;
    this.reset.hidden = this.override === null;
  }
}

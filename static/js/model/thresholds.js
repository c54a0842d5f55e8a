/** The rule and two sliders. What is left alone sends nothing: the service decides. */

import { asking } from '../asking.js';
import { make } from '../dom.js';
import { decimal, percent, t } from '../language.js';
import { ENDS, fromLogOdds, logOdds } from '../scale.js';
import { needed } from '../verify/decide.js';
import { score } from '../words.js';
import { costs } from './costs.js';
import { FusionChoice } from './fusion.js';
import { Slider } from './slider.js';

const COMPARED = 10;

/** What the page asks with, to be changed. */
export class Thresholds {
  /** @param {any} model Of GET /v1/model. */
  constructor(model) {
    const { thresholds, calibration } = model;
    this.points = calibration.points;
    this.fusion = new FusionChoice(thresholds.fusion, asking.wanted.fusion, (rule) => { asking.want('fusion', rule); this.follow(); });
    this.detection = new Slider({
      id: 'detection',
      label: t('fact.detection'),
      help: () => t(this.shares ? 'detection.help' : 'detection.help_fused'),
      initial: thresholds.detection_threshold,
      override: asking.wanted.detection,
      range: { min: ENDS.low, max: ENDS.high, step: 0.01 },
      toSlider: logOdds,
      fromSlider: fromLogOdds,
      shown: score,
      meaning: (value) => costsInWords(costs(this.points, value)),
      unset: () => (this.shares ? null : t('detection.unset')),
    }, (value) => { asking.want('detection', value); });
    this.verification = new Slider({
      id: 'verification',
      label: t('fact.verification'),
      help: () => t('verification.help'),
      initial: thresholds.verification_threshold,
      override: asking.wanted.verification,
      range: { min: 0, max: 0.99, step: 0.01 },
      toSlider: (value) => value,
      fromSlider: (value) => value,
      shown: percent,
      meaning: (value) => [t('verification.meaning', { count: needed(COMPARED, value), of: COMPARED })],
    }, (value) => { asking.want('verification', value); });
    this.root = make('div', { class: 'thresholds' }, this.detection.root, this.fusion.root, this.verification.root);
    this.follow();
  }

  /** Whether the rule is the share of references that match. */
  get shares() {
    return this.fusion.rule === 'share';
  }

  /** The sliders as the chosen rule has them; an answer on show keeps its own rule. */
  follow() {
    this.verification.root.toggleAttribute('data-idle', !this.shares);
    this.verification.input.disabled = !this.shares;
    this.detection.draw();
  }
}

/** Both costs, in people. */
function costsInWords({ fmr, fnmr, beyond }) {
  if (beyond === 'loose') return [t('cost.more_strangers', { strangers: 1 / fmr }), t('cost.fewer_own', { own: own(fnmr) })];
  if (beyond === 'strict') return [t('cost.fewer_strangers', { strangers: 1 / fmr }), t('cost.more_own', { own: own(fnmr) })];
  return [t('cost.strangers', { strangers: round(1 / fmr) }), t('cost.own', { own: own(fnmr) })];
}

const own = (rate) => decimal(rate * 100, rate < 0.1 ? 1 : 0);

/** Two digits: it is no more exact than that. */
function round(value) {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.round(value / unit) * unit;
}

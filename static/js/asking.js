/** What the page asks with: the model as the service tells it, and what was chosen instead. */

import * as api from './api.js';

class Asking extends EventTarget {
  constructor() {
    super();
    /** The answer of GET /v1/model, once it is there. */
    this.model = null;
    /** Null where it was left at its default: then nothing is sent, and the service decides. */
    this.wanted = { fusion: null, detection: null, verification: null };
  }

  /** Reads the model, once. @returns {Promise<any>} */
  load() {
    this.loading ??= api.model().then((model) => {
      this.model = model;
      this.dispatchEvent(new Event('change'));
      return model;
    }).finally(() => { this.loading = this.model && this.loading; });
    return this.loading;
  }

  /** Chooses a value; null goes back to the default. */
  want(name, value) {
    this.wanted[name] = value;
    this.dispatchEvent(new Event('change'));
  }

  /** The rule for several references. */
  get fusion() {
    return this.wanted.fusion ?? this.model?.thresholds.fusion ?? 'share';
  }

  /** Whether nothing was chosen. */
  get usual() {
    return Object.values(this.wanted).every((value) => value === null);
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
}

/** One for the page: every place asks with the same. */
export const asking = new Asking();

/** Shows who sits there that they are to move, and the service that they did. */

import { livenessSession, Problem } from '../api.js';
import { Stream } from '../camera/stream.js';
import { announce } from '../dom.js';
import { t } from '../language.js';
import { advice, problemInWords } from '../words.js';

/** The arrow for what is asked for. As in a mirror: the person's left is left. */
const ARROWS = {
  hold: null, turn_left: 'left', turn_right: 'right', look_up: 'up', look_down: 'down', come_closer: 'closer', go_back: 'away',
};

/** One session of movements. */
export class Liveness {
  /** @param {import('../camera/stage.js').Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.stream = null;
    this.left = false;
  }

  /**
   * Guides a person through it.
   * @param {string} identity
   * @returns {Promise<string|null>} A token for the verification; null if it was left.
   * @throws {Problem} Also where it was not passed: `not_live_…`.
   */
  async run(identity) {
    const { session } = await livenessSession(identity);
    if (this.left) return null;
    try {
      this.stream = new Stream('v1/liveness/stream', this.stage.camera, {
        numbered: true, onMessage: (message) => { this.hear(message); },
      });
      const result = await this.stream.run({ session });
      if (result && !result.live) throw new Problem({ code: `not_live_${result.why}`, detail: result.detail });
      return result?.token ?? null;
    } finally {
      this.stage.task('');
      this.stage.point(null);
    }
  }

  /** Ends it without a result. */
  leave() {
    this.left = true;
    this.stream?.leave();
  }

  hear(message) {
    const { stage } = this;
    if (message.type === 'busy') stage.hint(problemInWords(message));
    if (message.type === 'challenge') this.ask(message);
    if (message.type === 'passed') stage.overlay.evidence(1);
    if (message.type === 'frame') this.show(message);
  }

  ask({ kind, number, of }) {
    const text = t(`challenge.${kind}`);
    this.stage.task(text, t('challenge.step', { number, of }));
    this.stage.point(ARROWS[kind]);
    this.stage.overlay.evidence(0);
    announce(text);
  }

  show({ face, code, progress }) {
    const { stage } = this;
    stage.overlay.show(face ? [face] : [], code ? 'wait' : 'good');
    stage.overlay.evidence(progress);
    const reasons = face?.quality.reasons ?? [];
    if (!code) stage.hint('');
    else if (code === 'no_face' || code === 'several_faces') stage.hint(t(`hint.${code}`));
    else stage.hint(reasons.length ? advice(reasons) : problemInWords({ code }));
  }
}

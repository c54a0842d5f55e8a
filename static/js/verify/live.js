/** A live verification: frames to the service, and on the stage how it stands. */

import { asking } from '../asking.js';
import { thumbnail } from '../camera/crop.js';
import { Stream } from '../camera/stream.js';
import { announce, make } from '../dom.js';
import { t } from '../language.js';
import { advice, problemInWords } from '../words.js';
import { verdictInWords } from './parts.js';

const THUMBNAIL_PX = 96;
const USUAL_FRAMES = 8;
const MOST_GUESSED = 0.9;
const SAID = ['no_face', 'several_faces'];

/** One run before the camera. */
export class Live {
  /** @param {import('../camera/stage.js').Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.stream = null;
    this.liveness = null;
    this.left = false;
    this.face = null;
    this.counted = 0;
  }

  /**
   * Runs until there is a verdict.
   * @param {string} identity
   * @returns {Promise<import('./live-card.js').LiveCard|null>} Null if it was left.
   */
  async run(identity) {
    const { stage } = this;
    stage.watch.stop();
    stage.picture.dataset.live = 'true';
    stage.overlay.evidence(0);
    try {
      const token = asking.model?.require_liveness ? await this.movements(identity) : null;
      if (this.left) return null;
      stage.hint(t('live.begin'));
      announce(t('live.begin'));
      const { fusion, detection, verification } = asking.wanted;
      const hello = {
        identity, fusion, detection_threshold: detection, verification_threshold: verification, liveness_token: token,
      };
      const began = performance.now();
      this.stream = new Stream('v1/verify/stream', stage.camera, { onMessage: (message) => { this.hear(message); } });
      const result = await this.stream.run(hello);
      return result && await this.end(result, (performance.now() - began) / 1000);
    } finally {
      delete stage.picture.dataset.live;
      stage.hint('');
      if (stage.camera.live) this.rest();
    }
  }

  /** Ends it without a verdict. */
  leave() {
    this.left = true;
    this.liveness?.leave();
    this.stream?.leave();
  }

  /** Where the service demands to see that somebody is there. @returns {Promise<string|null>} */
  async movements(identity) {
    const { Liveness } = await import('./liveness.js');
    this.liveness = new Liveness(this.stage);
    return this.left ? null : this.liveness.run(identity);
  }

  hear(message) {
    const { stage } = this;
    if (message.type === 'busy') stage.hint(problemInWords(message));
    if (message.type !== 'frame') return;
    const { face, code, counted, matches, evidence } = message;
    this.counted += counted;
    // A key that may not see scores sees no evidence: then it is frames that fill the ring.
    stage.overlay.evidence(evidence ?? Math.min(MOST_GUESSED, this.counted / USUAL_FRAMES));
    if (!face) {
      stage.overlay.show([], 'wait');
      stage.hint(SAID.includes(code) ? t(`hint.${code}`) : problemInWords(message));
      return;
    }
    this.face = face;
    const { reasons } = face.quality;
    // What was not counted was no good picture: that can be mended.
    stage.overlay.show([face], counted ? (matches === false ? 'bad' : 'good') : 'wait');
    stage.hint(!counted && reasons.length ? advice(reasons) : t('live.looking'));
  }

  async end(result, seconds) {
    const { stage } = this;
    stage.overlay.evidence(result.evidence ?? (result.verified ? 1 : -1));
    stage.hint('');
    stage.say({ verified: result.verified, text: verdictInWords(result.verified, result.identity) });
    const { canvas } = await stage.camera.grab(640, 0.8);
    const image = this.face ? thumbnail(canvas, this.face.box_normalized, THUMBNAIL_PX) : make('span', { class: 'thumbnail' });
    const { LiveCard } = await import('./live-card.js');
    return new LiveCard(result, image, seconds, asking.points);
  }

  /** The stage as it was: it looks for faces, for the next run. */
  rest() {
    setTimeout(() => {
      if (this.stage.picture.dataset.live) return;
      this.stage.overlay.evidence(null);
      if (this.stage.camera.live) this.stage.watch.start();
    }, 1200);
  }
}

/** Verification of the current frame or of a file. */

import * as api from './api.js';
import { Card } from './card.js';
import { picture, thumbnail } from './crop.js';
import { announce, byId, make } from './dom.js';
import { reveal, showBusy, showError, showInPanel } from './panel.js';
import { identityOrAsk } from './person.js';
import { FULL_PX, FULL_QUALITY } from './watch.js';

const THUMBNAIL_PX = 96;

/** Asks the service, and keeps the last answer in step with the sliders. */
export class Verify {
  /**
   * @param {import('./stage.js').Stage} stage
   * @param {import('./thresholds.js').Thresholds} thresholds
   */
  constructor(stage, thresholds) {
    this.stage = stage;
    this.thresholds = thresholds;
    this.card = null;
    this.busy = false;
  }

  /** Verifies what the camera shows now. */
  async frame() {
    const identity = identityOrAsk();
    if (!identity || this.busy) return;
    if (!this.stage.camera.live) {
      showError('The camera is off', new Error('Start the camera first, or verify a file.'));
      byId('camera-toggle').focus();
      return;
    }
    await this.run(identity, async () => {
      const { blob, canvas } = await this.stage.camera.grab(FULL_PX, FULL_QUALITY);
      return { blob, source: canvas };
    });
  }

  /**
   * Verifies a picture file.
   * @param {File} file
   */
  async file(file) {
    const identity = identityOrAsk();
    if (!identity || this.busy) return;
    await this.run(identity, async () => ({ blob: file, source: await picture(file) }));
  }

  /** Decides the shown answer again with the sliders. */
  redecide() {
    // A card that has left the panel has nothing to say any more.
    if (!this.card?.root.isConnected) return;
    const before = this.card.summary;
    this.card.redecide(this.thresholds.inForce(this.card.answer.fusion));
    if (this.card.summary !== before) announce(this.card.summary);
  }

  async run(identity, take) {
    this.busy = true;
    showBusy();
    try {
      const { blob, source } = await take();
      const began = performance.now();
      const answer = await api.verify(identity, blob, this.thresholds.wanted);
      const roundTripMs = performance.now() - began;
      const image = source
        ? thumbnail(source, answer.face.box_normalized, THUMBNAIL_PX)
        : make('span', { class: 'thumbnail' });
      this.card = new Card(answer, image, roundTripMs, this.thresholds.points);
      showInPanel('Result', this.card.root);
      reveal(this.card.head);
      announce(this.card.summary);
    } catch (error) {
      showError('No decision', error);
    } finally {
      this.busy = false;
    }
  }
}

/** Looks for faces in the live preview, a few times a second. */

import * as api from '../api.js';
import { pause } from '../dom.js';

const PREVIEW_PX = 480;
const PREVIEW_QUALITY = 0.7;
const EVERY_MS = 100;
const AFTER_FAILURE_MS = 2000;

/** Frames for enrolment: as the camera gives them, up to this. */
const FULL_PX = 1280;
const FULL_QUALITY = 0.92;

/**
 * A loop with one request in flight at most. Each round takes the newest frame,
 * so a slow service is asked less often and never about old frames.
 */
export class Watch {
  /**
   * @param {import('./camera.js').Camera} camera
   * @param {(seen: {faces: any[], frame: {blob: Blob, canvas: HTMLCanvasElement}}) => void} onSeen
   * @param {(error: Error) => void} onFailure
   */
  constructor(camera, onSeen, onFailure) {
    this.camera = camera;
    this.onSeen = onSeen;
    this.onFailure = onFailure;
    this.abort = null;
    /** Whether whole frames are sent, to be kept if they are good. */
    this.full = false;
  }

  /** Begins; does nothing if it runs. */
  start() {
    if (this.abort) return;
    this.abort = new AbortController();
    this.run(this.abort.signal);
  }

  /** Ends, dropping the request in flight. */
  stop() {
    this.abort?.abort();
    this.abort = null;
  }

  async run(signal) {
    while (!signal.aborted) {
      const began = performance.now();
      let rest = EVERY_MS;
      if (this.camera.live && !document.hidden) {
        rest = await this.look(signal) ?? rest;
      }
      await pause(Math.max(30, rest - (performance.now() - began)));
    }
  }

  /** One round; answers how long to rest if not the usual time. */
  async look(signal) {
    try {
      const frame = this.full
        ? await this.camera.grab(FULL_PX, FULL_QUALITY)
        : await this.camera.grab(PREVIEW_PX, PREVIEW_QUALITY);
      const { faces } = await api.detect(frame.blob, signal);
      if (!signal.aborted) this.onSeen({ faces, frame });
      return null;
    } catch (error) {
      if (signal.aborted) return null;
      this.onFailure(error);
      return Math.max(AFTER_FAILURE_MS, (error.retryAfterS ?? 0) * 1000);
    }
  }
}

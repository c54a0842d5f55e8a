/** Chooses good, different frames for an enrolment. */

/** How many frames an enrolment from the camera takes. */
export const FRAMES = 5;

const SOONEST_MS = 500;
const PATIENCE_MS = 1400;
const NEW_POSE = 0.08;
const NEW_PLACE = 0.05;

/** Keeps a frame when it is good, not too soon, and shows something new. */
export class Capture {
  constructor() {
    this.kept = [];
    this.lastAt = -Infinity;
  }

  get done() {
    return this.kept.length >= FRAMES;
  }

  /**
   * Judges one frame.
   * @param {any[]} faces
   * @param {{blob: Blob, canvas: HTMLCanvasElement}} frame
   * @param {number} now In milliseconds.
   * @returns {boolean} Whether it was kept.
   */
  offer(faces, frame, now) {
    const face = faces[0];
    if (this.done || faces.length !== 1 || face.quality.reasons.length) return false;
    const since = now - this.lastAt;
    if (since < SOONEST_MS) return false;
    // Somebody who cannot move the head still gets enrolled, only slower.
    if (since < PATIENCE_MS && !this.isNew(face)) return false;
    this.kept.push({ face, frame });
    this.lastAt = now;
    return true;
  }

  isNew(face) {
    return this.kept.every((kept) => differs(kept.face, face));
  }
}

function differs(a, b) {
  const pose = Math.max(
    Math.abs(a.quality.yaw - b.quality.yaw),
    Math.abs(a.quality.pitch - b.quality.pitch),
  );
  const place = Math.max(
    ...['x', 'y', 'width', 'height'].map((name) => Math.abs(a.box_normalized[name] - b.box_normalized[name])),
  );
  return pose > NEW_POSE || place > NEW_PLACE;
}

/**
 * Which picture is wanted next, and why the one just seen is not it.
 *
 * At first a frame must be better than the service asks for; who waits long gets
 * enrolled with what it accepts. Turns are counted from where the person looks when
 * looking straight ahead: a laptop sees everybody from below.
 */

const STRICT = { sharpness: 80, face_size_px: 80, darkest: 60, brightest: 215 };
const PATIENCE_MS = 5000;
const STILL = { place: 0.03, turn: 0.07 };
const BETWEEN_MS = 600;
const AHEAD = { yaw: 0.24, pitch: 0.32 };
/** A head turned by some 15 degrees, or raised by 12: clearly another view, and easily done. */
const TURN = { least: 0.16, most: 0.75 };
const UP = { least: 0.09, sideways: 0.35 };

/** The pictures, in their order; left and right are the person's own. */
export const POSES = ['front', 'left', 'right', 'up'];

/** Judges frames, for one enrolment. */
export class Guide {
  /** @param {number} now In milliseconds. */
  constructor(now) {
    this.at = 0;
    this.since = now;
    this.before = null;
    this.ahead = { yaw: 0, pitch: 0 };
  }

  /** What is asked for; null when all is done. @returns {string|null} */
  get pose() {
    return POSES[this.at] ?? null;
  }

  /** Goes on to the next. @param {number} now */
  skip(now) {
    this.at += 1;
    this.since = now;
    this.before = null;
  }

  /**
   * Judges one frame.
   * @param {any[]} faces
   * @param {number} now
   * @returns {string} "" if it is taken; else the key of what to say: `hint.…`,
   *   `advice.…` or `pose.…`.
   */
  offer(faces, now) {
    if (faces.length === 0) return 'hint.no_face';
    if (faces.length > 1) return 'hint.several_faces';
    const [face] = faces;
    const objection = face.quality.reasons[0] ?? this.short(face.quality, now);
    // Before anything else about the picture: which way to move.
    const turn = this.turn(face.quality);
    if (turn && objection !== 'face_too_small') return turn;
    if (objection) return `advice.${objection}`;
    const still = this.before && isStill(this.before, face);
    this.before = face;
    if (!still || now - this.since < BETWEEN_MS) return 'pose.hold';
    if (this.pose === 'front') this.ahead = face.quality;
    this.skip(now);
    return '';
  }

  /** What falls short of a good picture, for as long as there is patience. */
  short(quality, now) {
    if (now - this.since > PATIENCE_MS) return null;
    if (quality.face_size_px < STRICT.face_size_px) return 'face_too_small';
    if (quality.brightness < STRICT.darkest) return 'too_dark';
    if (quality.brightness > STRICT.brightest) return 'too_bright';
    return quality.sharpness < STRICT.sharpness ? 'blurred' : null;
  }

  /** Which way to move, or "" if the head is as it should be. */
  turn({ yaw, pitch }) {
    const across = yaw - this.ahead.yaw;
    const up = pitch - this.ahead.pitch;
    if (this.pose === 'front') return Math.abs(yaw) > AHEAD.yaw || Math.abs(pitch) > AHEAD.pitch ? 'pose.front' : '';
    if (this.pose === 'up') return up < UP.least || Math.abs(across) > UP.sideways ? 'pose.up' : '';
    const turned = this.pose === 'left' ? across : -across;
    if (turned < TURN.least) return `pose.${this.pose}`;
    return turned > TURN.most ? 'pose.less' : '';
  }
}

function isStill(a, b) {
  const moved = Math.max(...['x', 'y', 'width', 'height'].map((name) => Math.abs(a.box_normalized[name] - b.box_normalized[name])));
  const turned = Math.max(Math.abs(a.quality.yaw - b.quality.yaw), Math.abs(a.quality.pitch - b.quality.pitch));
  return moved < STILL.place && turned < STILL.turn;
}

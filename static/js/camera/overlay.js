/** Box, landmarks and ring over the live picture; they glide to where the face was last seen. */

import { calm } from '../dom.js';
import { corners, dot, ring, TONES } from './drawing.js';

const GLIDE_MS = 60;
const FADE_MS = 160;
const POINTS = ['right_eye', 'left_eye', 'nose', 'right_mouth', 'left_mouth'];
const BOX = 4;
const RING_WIDTH_PX = 11;

/** Draws on one canvas that covers one video. */
export class Overlay {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLVideoElement} video Shown mirrored, so the drawing is mirrored too.
   */
  constructor(canvas, video) {
    this.canvas = canvas;
    this.video = video;
    this.shown = [];
    this.wanted = [];
    this.tone = 'plain';
    this.opacity = 0;
    /** How full the ring is, -1..1, and is to be; null without one. */
    this.share = null;
    this.fill = 0;
    this.drawing = false;
    this.before = 0;
    // Reading a size in every frame of the animation would be slow.
    new ResizeObserver(() => { this.resize(); }).observe(canvas);
  }

  /**
   * Shows where faces are now.
   * @param {any[]} faces As the service tells them.
   * @param {keyof TONES} tone
   */
  show(faces, tone) {
    this.wanted = faces.map(numbers);
    this.tone = tone;
    if (this.wanted.length && (this.wanted.length !== this.shown.length || calm())) {
      this.shown = this.wanted.map((face) => [...face]);
    }
    this.animate();
  }

  /** Fills the ring around the first face. @param {number|null} share -1..1, below 0 against. */
  evidence(share) {
    this.share = share;
    if (share === null || calm()) this.fill = share ?? 0;
    this.animate();
  }

  /** Takes the drawing away at once. */
  clear() {
    this.wanted = [];
    this.shown = [];
    this.opacity = 0;
    this.share = null;
    this.fill = 0;
    this.context().clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  animate() {
    if (this.drawing) return;
    this.drawing = true;
    this.before = performance.now();
    requestAnimationFrame((now) => { this.frame(now); });
  }

  frame(now) {
    const elapsed = Math.max(0, now - this.before);
    this.before = now;
    const moving = this.step(elapsed);
    this.draw();
    this.drawing = moving;
    if (moving) requestAnimationFrame((next) => { this.frame(next); });
  }

  step(elapsed) {
    const pull = 1 - Math.exp(-elapsed / GLIDE_MS);
    let far = 0;
    this.wanted.forEach((face, index) => {
      const shown = this.shown[index];
      face.forEach((value, at) => {
        shown[at] += (value - shown[at]) * pull;
        far = Math.max(far, Math.abs(value - shown[at]));
      });
    });
    const share = this.share ?? 0;
    this.fill += (share - this.fill) * pull * 0.5;
    const target = this.wanted.length ? 1 : 0;
    const fade = calm() ? 1 : elapsed / FADE_MS;
    this.opacity += Math.max(-fade, Math.min(fade, target - this.opacity));
    if (target === 0 && this.opacity === 0) this.shown = [];
    return far > 0.0005 || this.opacity !== target || Math.abs(share - this.fill) > 0.002;
  }

  draw() {
    const context = this.context();
    const { width, height } = this.canvas;
    const pixel = width / (this.canvas.clientWidth || width);
    const area = this.videoArea(width, height);
    const place = (x, y) => [area.x + (1 - x) * area.width, area.y + y * area.height];
    context.clearRect(0, 0, width, height);
    context.globalAlpha = this.opacity;
    this.shown.forEach((face) => {
      const [right, y] = place(face[0], face[1]);
      const [w, h] = [face[2] * area.width, face[3] * area.height];
      const colour = TONES[this.tone];
      corners(context, { x: right - w, y, w, h }, colour, pixel);
      for (let at = BOX; at < face.length; at += 2) dot(context, ...place(face[at], face[at + 1]), colour, pixel);
    });
    if (this.share !== null && this.shown.length) this.drawRing(context, place, area, pixel);
  }

  /** Around the face, but never outside of the picture. */
  drawRing(context, place, area, pixel) {
    const [x, y, w, h] = this.shown[0];
    const edge = RING_WIDTH_PX * pixel;
    const most = Math.min(area.width, area.height) / 2 - edge;
    const radius = Math.min(most, 0.78 * Math.max(w * area.width, h * area.height));
    const [cx, cy] = place(x + w / 2, y + h / 2);
    const within = (value, from, size) => Math.max(from + radius + edge, Math.min(from + size - radius - edge, value));
    const centre = { x: within(cx, area.x, area.width), y: within(cy, area.y, area.height), radius };
    ring(context, centre, Math.abs(this.fill), this.fill < 0 ? TONES.bad : TONES.good, pixel);
  }

  /** Where the video's picture lies in the canvas; it is shown whole. */
  videoArea(width, height) {
    const ratio = (this.video.videoWidth || 4) / (this.video.videoHeight || 3);
    const w = Math.min(width, height * ratio);
    const h = w / ratio;
    return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
  }

  resize() {
    const ratio = Math.min(2, devicePixelRatio);
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
    this.draw();
  }

  context() {
    return this.canvas.getContext('2d');
  }
}

/** A face as shares of the picture's sides: box, then landmarks. */
function numbers({ box, box_normalized: share, landmarks }) {
  const [across, down] = [share.width / box.width, share.height / box.height];
  const points = POINTS.flatMap((name) => [landmarks[name].x * across, landmarks[name].y * down]);
  return [share.x, share.y, share.width, share.height, ...points];
}

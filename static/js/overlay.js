/** The box drawn over the live preview; it glides to where the face was last seen. */

import { calm } from './dom.js';

const GLIDE_MS = 90;
const FADE_MS = 160;

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
    this.good = false;
    this.opacity = 0;
    this.drawing = false;
    this.before = 0;
    // Reading a size in every frame of the animation would be slow.
    new ResizeObserver(() => { this.resize(); }).observe(canvas);
  }

  /**
   * Shows where faces are now.
   * @param {{box_normalized: object}[]} faces
   * @param {boolean} good Whether the picture would be accepted.
   */
  show(faces, good) {
    this.wanted = faces.map((face) => face.box_normalized);
    this.good = good;
    if (this.wanted.length !== this.shown.length || calm()) {
      if (this.wanted.length) this.shown = this.wanted.map((box) => ({ ...box }));
    }
    this.animate();
  }

  /** Takes the drawing away at once. */
  clear() {
    this.wanted = [];
    this.shown = [];
    this.opacity = 0;
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
    this.wanted.forEach((box, index) => {
      const shown = this.shown[index];
      for (const name of ['x', 'y', 'width', 'height']) {
        shown[name] += (box[name] - shown[name]) * pull;
        far = Math.max(far, Math.abs(box[name] - shown[name]));
      }
    });
    const target = this.wanted.length ? 1 : 0;
    const fade = calm() ? 1 : elapsed / FADE_MS;
    this.opacity += Math.max(-fade, Math.min(fade, target - this.opacity));
    if (target === 0 && this.opacity === 0) this.shown = [];
    return far > 0.0005 || this.opacity !== target;
  }

  draw() {
    const context = this.context();
    const { width, height } = this.canvas;
    context.clearRect(0, 0, width, height);
    context.globalAlpha = this.opacity;
    const area = this.videoArea(width, height);
    this.shown.forEach((box) => {
      const w = box.width * area.width;
      const h = box.height * area.height;
      const x = area.x + area.width - box.x * area.width - w;
      this.corners(context, x, area.y + box.y * area.height, w, h);
    });
  }

  corners(context, x, y, w, h) {
    const pixel = this.canvas.width / (this.canvas.clientWidth || this.canvas.width);
    const radius = Math.min(w, h) * 0.14;
    const arm = Math.min(w, h) * 0.12;
    context.lineCap = 'round';
    // A dark line under the bright one shows on any background.
    for (const [colour, line] of [['rgb(0 0 0 / 55%)', 6], [this.good ? '#7fe3c0' : '#ffd27a', 3]]) {
      context.strokeStyle = colour;
      context.lineWidth = line * pixel;
      context.beginPath();
      for (const [cx, cy, sx, sy] of [[x, y, 1, 1], [x + w, y, -1, 1], [x + w, y + h, -1, -1], [x, y + h, 1, -1]]) {
        context.moveTo(cx, cy + sy * (radius + arm));
        context.lineTo(cx, cy + sy * radius);
        context.quadraticCurveTo(cx, cy, cx + sx * radius, cy);
        context.lineTo(cx + sx * (radius + arm), cy);
      }
      context.stroke();
    }
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

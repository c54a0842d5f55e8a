/** What is drawn over the live picture: corners of a box, landmarks, a ring. */

/** Bright lines, for a picture that may be of any colour; each over a dark one. */
export const TONES = { good: '#7fe3c0', wait: '#ffd27a', bad: '#ff9d8d', plain: '#ffffff' };
const SHADE = 'rgb(0 0 0 / 55%)';

/**
 * The four corners of a box.
 * @param {CanvasRenderingContext2D} context
 * @param {{x: number, y: number, w: number, h: number}} box In pixels of the canvas.
 * @param {string} colour
 * @param {number} pixel Of CSS, in pixels of the canvas.
 */
export function corners(context, { x, y, w, h }, colour, pixel) {
  const radius = Math.min(w, h) * 0.14;
  const arm = Math.min(w, h) * 0.12;
  context.lineCap = 'round';
  for (const [stroke, line] of [[SHADE, 6], [colour, 3]]) {
    context.strokeStyle = stroke;
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

/**
 * One point of a face.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {string} colour
 * @param {number} pixel
 */
export function dot(context, x, y, colour, pixel) {
  for (const [fill, radius] of [[SHADE, 4], [colour, 2.4]]) {
    context.fillStyle = fill;
    context.beginPath();
    context.arc(x, y, radius * pixel, 0, 2 * Math.PI);
    context.fill();
  }
}

/**
 * A ring that fills from its top, clockwise.
 * @param {CanvasRenderingContext2D} context
 * @param {{x: number, y: number, radius: number}} place In pixels of the canvas.
 * @param {number} share Of it, 0..1.
 * @param {string} colour
 * @param {number} pixel
 */
export function ring(context, { x, y, radius }, share, colour, pixel) {
  const circle = (to, stroke, line) => {
    context.strokeStyle = stroke;
    context.lineWidth = line * pixel;
    context.beginPath();
    context.arc(x, y, radius, -Math.PI / 2, -Math.PI / 2 + to * 2 * Math.PI);
    context.stroke();
  };
  context.lineCap = 'round';
  circle(1, 'rgb(0 0 0 / 45%)', 11);
  circle(1, 'rgb(255 255 255 / 28%)', 7);
  if (share > 0.005) circle(share, colour, 7);
}

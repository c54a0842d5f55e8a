/** Square thumbnails around a face, made in the browser from what was sent. */

const MARGIN = 0.25;

/**
 * A square canvas around a face, or of the middle of the picture without one.
 * @param {CanvasImageSource & {width: number, height: number}} source
 * @param {{x: number, y: number, width: number, height: number}|null} box
 *   As shares of the picture's width and height.
 * @param {number} sizePx Of the square, in CSS pixels.
 */
export function thumbnail(source, box, sizePx) {
  const canvas = document.createElement('canvas');
  const pixels = Math.round(sizePx * Math.min(2, devicePixelRatio));
  canvas.width = pixels;
  canvas.height = pixels;
  canvas.className = 'thumbnail';
  const [x, y, side] = square(source, box);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, x, y, side, side, 0, 0, pixels, pixels);
  return canvas;
}

/**
 * A picture file as something to draw, upright; null if the browser cannot
 * read it (the service may still).
 * @param {Blob} file
 * @returns {Promise<ImageBitmap|null>}
 */
export async function picture(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    return null;
  }
}

function square(source, box) {
  const { width, height } = source;
  if (!box) {
    const side = Math.min(width, height);
    return [(width - side) / 2, (height - side) / 2, side];
  }
  const side = Math.max(box.width * width, box.height * height) * (1 + 2 * MARGIN);
  const x = (box.x + box.width / 2) * width - side / 2;
  const y = (box.y + box.height / 2) * height - side / 2;
  return [x, y, side];
}

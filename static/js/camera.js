/** The camera: which there are, start, stop, and still frames of what it shows. */

/** A camera that cannot be used, with words for people. */
export class CameraError extends Error {}

const MESSAGES = {
  NotAllowedError: 'The camera was refused. Allow it for this page in the browser’s address bar or settings, then start again.',
  SecurityError: 'This browser forbids the camera on this page. Check its settings, then start again.',
  NotFoundError: 'No camera was found. Connect one, then start again.',
  OverconstrainedError: 'That camera is not available any more. Choose another one, then start again.',
  NotReadableError: 'The camera is busy or has failed. Close other programs that use it, then start again.',
  AbortError: 'The camera stopped unexpectedly. Close other programs that use it, then start again.',
};
const INSECURE = 'Browsers lend the camera only to pages on https or on localhost. Open this page that way, or use picture files below.';

/** One camera shown in one video element. */
export class Camera {
  /**
   * @param {HTMLVideoElement} video
   * @param {(message: string) => void} onLost Called when a running camera goes away.
   */
  constructor(video, onLost) {
    this.video = video;
    this.onLost = onLost;
    this.stream = null;
    this.round = 0;
  }

  /** Whether frames are coming. */
  get live() {
    return this.stream !== null && this.video.readyState >= 2;
  }

  /** The id of the device in use, or null. */
  get deviceId() {
    return this.stream?.getVideoTracks()[0]?.getSettings().deviceId ?? null;
  }

  /**
   * Starts a camera, stopping the one before.
   * @param {string} deviceId Empty for the browser's choice.
   * @returns {Promise<boolean>} False if another start or a stop came between.
   * @throws {CameraError}
   */
  async start(deviceId) {
    this.stop();
    if (!navigator.mediaDevices?.getUserMedia) throw new CameraError(INSECURE);
    const video = { width: { ideal: 1280 }, height: { ideal: 960 }, frameRate: { ideal: 30 } };
    if (deviceId) video.deviceId = { exact: deviceId };
    else video.facingMode = 'user';
    const { round } = this;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (round !== this.round) {
        // Stopped or started anew while the browser asked for permission.
        stream.getTracks().forEach((track) => track.stop());
        return false;
      }
      this.stream = stream;
      this.video.srcObject = stream;
      await this.video.play();
    } catch (error) {
      if (round !== this.round) return false;
      this.stop();
      throw new CameraError(MESSAGES[error.name] ?? `The camera could not be started (${error.name}).`);
    }
    this.stream.getVideoTracks()[0].addEventListener('ended', () => {
      this.stop();
      this.onLost('The camera was disconnected. Connect it, then start again.');
    });
    return true;
  }

  /** Stops the camera and its light. Does nothing if it is off. */
  stop() {
    this.round += 1;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  /**
   * The current frame as a JPEG, as the camera sees it (not mirrored).
   * @param {number} longestPx Larger frames are scaled down to this.
   * @param {number} quality JPEG quality, 0..1.
   * @returns {Promise<{blob: Blob, canvas: HTMLCanvasElement}>}
   */
  async grab(longestPx, quality) {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, longestPx / Math.max(videoWidth, videoHeight));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(videoWidth * scale);
    canvas.height = Math.round(videoHeight * scale);
    canvas.getContext('2d').drawImage(this.video, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => { canvas.toBlob(resolve, 'image/jpeg', quality); });
    return { blob, canvas };
  }
}

/**
 * The cameras there are. Names are known only after permission was given.
 * @returns {Promise<{id: string, name: string}[]>}
 */
export async function cameras() {
  if (!navigator.mediaDevices?.enumerateDevices) return [];
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter((device) => device.kind === 'videoinput')
    .map((device, index) => ({ id: device.deviceId, name: device.label || `Camera ${index + 1}` }));
}

/**
 * Calls back when a camera is plugged in or out.
 * @param {() => void} listener
 */
export function onCamerasChanged(listener) {
  navigator.mediaDevices?.addEventListener?.('devicechange', listener);
}

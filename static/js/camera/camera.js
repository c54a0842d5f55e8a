/** The camera: which there are, start, stop, and still frames of what it shows. */

import { t } from '../language.js';

const LATE_MS = 100;

/** A camera that cannot be used; the code names why: `camera.CODE` in the language files. */
class CameraError extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

const KNOWN = {
  NotAllowedError: 'refused',
  SecurityError: 'forbidden',
  NotFoundError: 'none',
  OverconstrainedError: 'gone',
  NotReadableError: 'busy',
  AbortError: 'stopped',
};

/** One camera shown in one video element. */
export class Camera {
  /**
   * @param {HTMLVideoElement} video
   * @param {() => void} onLost Called when a running camera goes away.
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
    if (!navigator.mediaDevices?.getUserMedia) throw new CameraError('insecure');
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
      throw new CameraError(KNOWN[error.name] ?? 'failed');
    }
    this.stream.getVideoTracks()[0].addEventListener('ended', () => {
      this.stop();
      this.onLost();
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
   * @param {HTMLCanvasElement} [canvas] To draw on, where the frame itself is not kept.
   * @returns {Promise<{blob: Blob, canvas: HTMLCanvasElement}>}
   */
  async grab(longestPx, quality, canvas = document.createElement('canvas')) {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, longestPx / Math.max(videoWidth, videoHeight));
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.getContext('2d').drawImage(this.video, 0, 0, width, height);
    const blob = await new Promise((resolve) => { canvas.toBlob(resolve, 'image/jpeg', quality); });
    return { blob, canvas };
  }

  /** Resolves with the next picture of the camera, or after a while without one. */
  next() {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, LATE_MS);
      this.video.requestVideoFrameCallback?.(() => { clearTimeout(late); resolve(); });
    });
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
    .map((device, index) => ({ id: device.deviceId, name: device.label || t('camera.number', { number: index + 1 }) }));
}

/**
 * Calls back when a camera is plugged in or out.
 * @param {() => void} listener
 */
export function onCamerasChanged(listener) {
  navigator.mediaDevices?.addEventListener?.('devicechange', listener);
}

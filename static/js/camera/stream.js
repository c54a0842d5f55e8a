/** Frames of a camera to a WebSocket of the service, and what it says of them. */

import { key } from '../access.js';
import { Problem, unreachable } from '../api.js';
import { pause } from '../dom.js';

const LONGEST_PX = 640;
const QUALITY = 0.8;
/** Sent and not answered: one is looked at, the next is there when it is done. */
const MOST_UNDER_WAY = 2;
const STUCK_MS = 1500;

/** One conversation: first message, frames, and its end. */
export class Stream {
  /**
   * @param {string} path
   * @param {import('./camera.js').Camera} camera
   * @param {{onMessage: (message: any) => void, numbered?: boolean}} options Numbered: each
   *   frame has its number before it, in four bytes.
   */
  constructor(path, camera, { onMessage, numbered = false }) {
    this.path = path;
    this.camera = camera;
    this.onMessage = onMessage;
    this.numbered = numbered;
    this.canvas = document.createElement('canvas');
    this.sent = 0;
    this.answered = 0;
    this.heardAt = 0;
    this.socket = null;
  }

  /**
   * Runs it to its end.
   * @param {Record<string, any>} hello What is null is left out.
   * @returns {Promise<any>} The result; null if it was left before there was one.
   * @throws {Problem}
   */
  run(hello) {
    const url = new URL(this.path, document.baseURI);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    this.socket = socket;
    const first = Object.fromEntries(Object.entries({ ...hello, key: key() }).filter(([, value]) => value !== null));
    return new Promise((resolve, reject) => {
      socket.addEventListener('open', () => { if (this.socket) socket.send(JSON.stringify(first)); });
      socket.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data);
        this.heardAt = performance.now();
        if (message.type === 'ready') this.pump(socket);
        if (message.type === 'frame') this.answered += 1 + (message.skipped ?? 0);
        if (message.type === 'busy') this.answered += 1;
        if (message.type === 'result') resolve(message);
        else if (message.type === 'problem') reject(problemOf(message));
        else if (this.socket) this.onMessage(message);
      });
      // After a result or a problem this does nothing.
      socket.addEventListener('close', () => { this.socket ? reject(unreachable()) : resolve(null); });
    }).finally(() => { this.leave(); });
  }

  /** Ends it without a result. */
  leave() {
    const { socket } = this;
    this.socket = null;
    // Closed while it opens, a browser would call it a failure.
    if (socket?.readyState === WebSocket.CONNECTING) socket.addEventListener('open', () => { socket.close(); });
    else socket?.close();
  }

  async pump(socket) {
    while (this.socket === socket && socket.readyState === WebSocket.OPEN) {
      await this.camera.next();
      if (this.sent - this.answered >= MOST_UNDER_WAY) {
        // What was passed over while the service was busy is never answered.
        if (performance.now() - this.heardAt > STUCK_MS) this.answered = this.sent;
        continue;
      }
      if (!this.camera.live) {
        await pause(50);
        continue;
      }
      const { blob } = await this.camera.grab(LONGEST_PX, QUALITY, this.canvas);
      if (socket.readyState !== WebSocket.OPEN || !blob) return;
      this.sent += 1;
      socket.send(this.numbered ? new Blob([bigEndian(this.sent), blob]) : blob);
    }
  }
}

function bigEndian(number) {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setUint32(0, number);
  return bytes.buffer;
}

const problemOf = ({ code, detail, instance, reasons, retry_after_s: retryAfterS }) =>
  new Problem({ code, detail, reasons, id: instance, retryAfterS });

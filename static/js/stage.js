/** The camera panel: picker, start and stop, preview, and a hint in words. */

import { Camera, cameras, onCamerasChanged } from './camera.js';
import { announce, byId, make } from './dom.js';
import { Overlay } from './overlay.js';
import { Watch } from './watch.js';
import { advice } from './words.js';

/** Everything that shows and reads the live picture. */
export class Stage {
  /** @param {{onStop?: () => void, onSeen?: (seen: any) => void}} listeners */
  constructor(listeners) {
    this.listeners = listeners;
    this.root = byId('stage');
    this.hintLine = byId('stage-hint');
    this.messageLine = byId('stage-message');
    this.picker = byId('camera-picker');
    this.toggle = byId('camera-toggle');
    this.camera = new Camera(byId('video'), (message) => { this.stop(message); });
    this.overlay = new Overlay(byId('overlay'), byId('video'));
    this.watch = new Watch(this.camera, (seen) => { this.seen(seen); }, (error) => { this.hint(error.message); });
    this.toggle.addEventListener('click', () => { this.root.dataset.state === 'off' ? this.start() : this.stop(); });
    this.picker.addEventListener('change', () => { if (this.root.dataset.state !== 'off') this.start(); });
    onCamerasChanged(() => { this.list(); });
    this.list();
  }

  /** Starts the chosen camera; says in words why it could not. */
  async start() {
    this.watch.stop();
    this.overlay.clear();
    this.state('starting', 'Starting the camera…');
    try {
      if (!await this.camera.start(this.picker.value)) return;
    } catch (error) {
      this.stop(error.message, 'error');
      return;
    }
    this.state('live', '');
    announce('The camera is on.');
    this.watch.start();
    await this.list();
  }

  /**
   * Stops the camera.
   * @param {string} [message] What to show instead of the picture.
   * @param {string} [tone] "error" when that is a failure.
   */
  stop(message = 'The camera is off.', tone = '') {
    this.watch.stop();
    this.camera.stop();
    this.overlay.clear();
    this.hint('');
    this.state('off', message);
    this.messageLine.dataset.tone = tone;
    announce(message);
    this.listeners.onStop?.();
  }

  /** Shows a hint over the picture; none if empty. @param {string} text */
  hint(text) {
    if (this.hintLine.textContent !== text) this.hintLine.textContent = text;
    this.hintLine.hidden = !text;
  }

  seen(seen) {
    const { faces } = seen;
    const reasons = faces[0]?.quality.reasons ?? [];
    const good = faces.length === 1 && reasons.length === 0;
    this.overlay.show(faces, good);
    if (faces.length === 0) this.hint('No face in view.');
    else if (faces.length > 1) this.hint(`${faces.length} faces in view; only one, please.`);
    else this.hint(good ? '' : advice(reasons));
    this.listeners.onSeen?.(seen);
  }

  async list() {
    const found = await cameras();
    const chosen = this.camera.deviceId ?? this.picker.value;
    const named = found.filter((camera) => camera.id);
    const options = named.map(({ id, name }) => make('option', { value: id, selected: id === chosen }, name));
    if (!options.length) options.push(make('option', { value: '' }, found.length ? 'Default camera' : 'No camera known yet'));
    this.picker.replaceChildren(...options);
  }

  state(state, message) {
    this.root.dataset.state = state;
    this.messageLine.textContent = message;
    this.messageLine.dataset.tone = '';
    this.toggle.textContent = state === 'off' ? 'Start camera' : 'Stop camera';
  }
}

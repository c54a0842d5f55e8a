/** The live picture, with start and stop, the choice of a camera, and words over it. */

import { announce, icon, make } from '../dom.js';
import { t } from '../language.js';
import { advice, problemInWords } from '../words.js';
import { Camera, cameras, onCamerasChanged } from './camera.js';
import { Overlay } from './overlay.js';
import { Watch } from './watch.js';

/** Everything that shows and reads the live picture. */
export class Stage {
  /** @param {{onStop?: () => void, onSeen?: (seen: any) => void}} listeners */
  constructor(listeners) {
    this.listeners = listeners;
    this.build();
    this.camera = new Camera(this.video, () => { this.stop(t('camera.lost')); });
    this.overlay = new Overlay(this.canvas, this.video);
    this.watch = new Watch(this.camera, (seen) => { this.seen(seen); }, (error) => { this.hint(problemInWords(error)); });
    onCamerasChanged(() => { this.list(); });
    this.list();
  }

  build() {
    this.video = make('video', { playsinline: true, muted: true, 'aria-label': t('camera.preview') });
    this.video.muted = true;
    this.canvas = make('canvas', { 'aria-hidden': 'true' });
    this.messageLine = make('p', { class: 'stage-message' }, t('camera.off'));
    this.hintLine = make('p', { class: 'stage-hint', hidden: true });
    this.banner = make('p', { class: 'stage-banner', 'aria-hidden': 'true', hidden: true });
    this.guide = make('p', { class: 'stage-guide', 'aria-hidden': 'true', hidden: true });
    this.taskLine = make('p', { class: 'stage-task', hidden: true });
    this.picture = make(
      'div', { class: 'stage', 'data-state': 'off' },
      this.video, this.canvas, this.guide, this.messageLine, this.taskLine, this.hintLine, this.banner,
    );
    this.toggle = make('button', { type: 'button', class: 'button quiet', onclick: () => { this.live ? this.stop() : this.start(); } }, t('camera.start'));
    this.picker = make('select', { onchange: () => { if (this.live) this.start(); } });
    this.pickerField = make('label', { class: 'picker' }, make('span', { class: 'visually-hidden' }, t('camera.which')), this.picker);
    this.root = make('div', { class: 'camera' }, this.picture, make('div', { class: 'camera-controls' }, this.toggle, this.pickerField));
  }

  /** Whether the camera is on, or about to be. */
  get live() {
    return this.picture.dataset.state !== 'off';
  }

  /** Starts the chosen camera; says in words why it could not. @returns {Promise<boolean>} */
  async start() {
    this.watch.stop();
    this.overlay.clear();
    this.state('starting', t('camera.starting'));
    try {
      if (!await this.camera.start(this.picker.value)) return false;
    } catch (error) {
      this.stop(t(`camera.${error.code}`), 'error');
      return false;
    }
    this.state('live', '');
    announce(t('camera.on'));
    this.watch.start();
    await this.list();
    return this.camera.live;
  }

  /**
   * Stops the camera.
   * @param {string} [message] What to show instead of the picture.
   * @param {string} [tone] "error" when that is a failure.
   */
  stop(message = t('camera.off'), tone = '') {
    this.watch.stop();
    this.camera.stop();
    this.overlay.clear();
    this.hint('');
    this.task('');
    this.say(null);
    this.point(null);
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

  /** Shows a verdict over the picture, or takes it away. @param {{text: string, verified: boolean}|null} verdict */
  say(verdict) {
    this.banner.hidden = !verdict;
    if (!verdict) return;
    this.banner.dataset.verified = String(verdict.verified);
    this.banner.replaceChildren(icon(verdict.verified ? 'yes' : 'no'), make('span', {}, verdict.text));
  }

  /**
   * Shows what is asked for, large; nothing if empty.
   * @param {string} text
   * @param {string} [step] Which of how many.
   */
  task(text, step = '') {
    this.taskLine.hidden = !text;
    this.taskLine.replaceChildren(make('strong', {}, text), make('span', {}, step));
  }

  /** Shows which way to move. @param {string|null} name Of an icon. */
  point(name) {
    this.guide.hidden = !name;
    if (!name || this.guide.dataset.way === name) return;
    this.guide.dataset.way = name;
    this.guide.replaceChildren(icon(name));
  }

  seen(seen) {
    const { faces } = seen;
    const reasons = faces[0]?.quality.reasons ?? [];
    const good = faces.length === 1 && reasons.length === 0;
    this.overlay.show(faces, good ? 'good' : 'wait');
    if (faces.length === 0) this.hint(t('hint.no_face'));
    else if (faces.length > 1) this.hint(t('hint.several', { count: faces.length }));
    else this.hint(good ? '' : advice(reasons));
    this.listeners.onSeen?.(seen);
  }

  async list() {
    const found = (await cameras()).filter((camera) => camera.id);
    const chosen = this.camera.deviceId ?? this.picker.value;
    const options = found.map(({ id, name }) => make('option', { value: id, selected: id === chosen }, name));
    this.picker.replaceChildren(...options);
    // One camera is no choice. Its place stays, so that nothing moves.
    this.pickerField.toggleAttribute('data-idle', found.length < 2);
    this.picker.disabled = found.length < 2;
  }

  state(state, message) {
    this.picture.dataset.state = state;
    this.messageLine.textContent = message;
    this.messageLine.dataset.tone = '';
    this.toggle.textContent = t(state === 'off' ? 'camera.start' : 'camera.stop');
  }
}

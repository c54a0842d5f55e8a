/** Adding a person, or pictures to one: guided before the camera, or from files. */

import * as api from '../api.js';
import { picture, thumbnail } from '../camera/crop.js';
import { Stage } from '../camera/stage.js';
import { announce, make, reveal } from '../dom.js';
import { onChosen, onDropped } from '../drop.js';
import { t } from '../language.js';
import { showError } from '../notice.js';
import { PersonField } from '../verify/person.js';
import { Guide, POSES } from './guide.js';
import { Report } from './report.js';
import { Slots } from './slots.js';

const THUMBNAIL_PX = 64;
/** Where to look, and the arrow for it. As in a mirror: the person's left is left. */
const ARROWS = { front: null, left: 'left', right: 'right', up: 'up' };

/** The view, with its camera. */
export class Add {
  /** @param {{onEnrolled: () => void}} listeners */
  constructor({ onEnrolled }) {
    this.onEnrolled = onEnrolled;
    this.guide = null;
    this.taken = [];
    this.busy = false;
    this.stage = new Stage({
      onSeen: (seen) => { this.seen(seen); },
      onStop: () => { this.cancel(t('add.camera_stopped')); },
    });
    this.person = new PersonField({ id: 'new-identity', label: t('person.name'), first: true });
    this.slots = new Slots();
    this.button = make('button', { type: 'submit', class: 'button primary large' }, t('add.start'));
    this.skipping = make('button', { type: 'button', class: 'button', disabled: true, onclick: () => { this.skip(); } }, t('add.skip'));
    const files = make('input', { type: 'file', id: 'enrol-files', accept: 'image/*', multiple: true });
    this.outcome = make('div', { class: 'outcome' }, make('p', { class: 'help' }, t('add.advice')));
    this.drop = make('div', { class: 'drop' }, make('p', {}, t('add.drop')), make('label', { class: 'button quiet file' }, t('add.files'), files));
    const form = make(
      'form', { class: 'panel area-person', novalidate: true, autocomplete: 'off' },
      this.person.root, this.slots.root, make('div', { class: 'actions' }, this.button, this.skipping),
    );
    form.addEventListener('submit', (event) => { event.preventDefault(); this.press(); });
    onChosen(files, (chosen) => { this.files(chosen); });
    onDropped(this.drop, (chosen) => { this.files(chosen); });
    this.root = make(
      'div', { class: 'verify-grid' }, form,
      make('section', { class: 'panel area-camera', 'aria-label': t('camera') }, this.stage.root),
      make('section', { class: 'panel area-result', 'aria-label': t('result') }, this.outcome),
      make('div', { class: 'area-more' }, this.drop),
    );
  }

  /** Comes into view. @param {string} identity Whom to add to; empty for somebody new. */
  enter(identity) {
    if (identity) this.person.input.value = identity;
    this.person.suggest();
  }

  leave() {
    if (this.stage.live) this.stage.stop();
  }

  /** Begins taking pictures, or cancels. */
  async press() {
    if (this.guide) {
      this.cancel(t('add.cancelled'));
      return;
    }
    const identity = this.person.nameOrAsk();
    if (!identity || this.busy) return;
    if (!this.stage.camera.live && !await this.stage.start()) {
      if (!this.stage.live) this.show(showError(t('verify.no_camera'), { code: 'no_camera' }));
      return;
    }
    this.identity = identity;
    this.taken = [];
    this.guide = new Guide(performance.now());
    this.slots.reset();
    this.stage.watch.full = true;
    this.button.textContent = t('add.cancel');
    this.skipping.disabled = false;
    // People look at themselves while pictures are taken.
    reveal(this.stage.picture);
    this.ask();
  }

  /** Asks for the next picture, or sends what there is. */
  ask() {
    const { pose, at } = this.guide;
    if (!pose) {
      this.finish();
      return;
    }
    this.slots.ask(at);
    this.stage.point(ARROWS[pose]);
    announce(t(`pose.${pose}`));
  }

  /** Leaves out the picture that is asked for: not everybody can turn the head. */
  skip() {
    if (!this.guide) return;
    this.slots.skip(this.guide.at);
    this.guide.skip(performance.now());
    this.ask();
  }

  /** Takes the frame if it is the one that is wanted, and says why not otherwise. */
  seen({ faces, frame }) {
    if (!this.guide) return;
    const { at } = this.guide;
    const why = this.guide.offer(faces, performance.now());
    this.stage.hint(why ? t(why) : '');
    if (why) return;
    const image = () => thumbnail(frame.canvas, faces[0].box_normalized, THUMBNAIL_PX);
    this.slots.take(at, image());
    this.taken.push({ blob: frame.blob, name: `${POSES[at]}.jpg`, image: image(), title: t(`slot.${POSES[at]}`) });
    this.ask();
  }

  /** Ends it; what was taken is forgotten. @param {string} text Why. */
  cancel(text) {
    if (!this.guide) return;
    this.end();
    this.slots.reset();
    this.show(make('p', { class: 'report-status' }, text));
    announce(text);
  }

  async finish() {
    const { taken } = this;
    this.end();
    if (taken.length) await this.send(taken);
    else this.show(make('p', { class: 'report-status' }, t('add.all_skipped')));
  }

  end() {
    this.guide = null;
    this.stage.watch.full = false;
    this.stage.point(null);
    this.stage.hint('');
    this.button.textContent = t('add.start');
    this.skipping.disabled = true;
  }

  /** Enrols picture files. @param {File[]} chosen */
  async files(chosen) {
    const identity = this.person.nameOrAsk();
    if (!identity || this.busy || !chosen.length) return;
    this.cancel(t('add.cancelled'));
    this.identity = identity;
    await this.send(await Promise.all(chosen.map(async (file) => {
      const drawn = await picture(file);
      const image = drawn ? thumbnail(drawn, null, THUMBNAIL_PX) : make('span', { class: 'thumbnail' });
      drawn?.close();
      return { blob: file, name: file.name, image, title: file.name };
    })));
  }

  async send(pictures) {
    const { identity } = this;
    const report = new Report(pictures);
    this.busy = true;
    report.say(t('add.sending', { count: pictures.length }));
    this.show(report.root);
    try {
      report.answer(await api.enrol(identity, pictures));
      report.after.replaceChildren(
        make('a', { class: 'button primary', href: '#/verify' }, t('add.verify')),
        make('a', { class: 'button', href: '#/people' }, t('add.done')),
      );
      this.onEnrolled();
    } catch (error) {
      report.failure(error);
    } finally {
      this.busy = false;
      announce(report.summary);
      reveal(report.status);
    }
  }

  show(content) {
    this.outcome.replaceChildren(content);
    reveal(content);
  }
}

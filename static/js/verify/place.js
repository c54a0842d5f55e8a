/** Verify: one field, one button, the live picture, and the verdict. */

import * as api from '../api.js';
import { asking } from '../asking.js';
import { picture, thumbnail } from '../camera/crop.js';
import { Stage } from '../camera/stage.js';
import { onChosen, onDropped } from '../drop.js';
import { announce, make, reveal } from '../dom.js';
import { t } from '../language.js';
import { showError } from '../notice.js';
import { fmrInWords, score } from '../words.js';
import { fmrOf } from './decide.js';
import { Live } from './live.js';
import { PersonField } from './person.js';

const THUMBNAIL_PX = 96;

/** @returns {import('../places.js').Place} */
export const create = () => new VerifyPlace();

class VerifyPlace {
  constructor() {
    this.card = null;
    this.busy = false;
    this.live = null;
    this.stage = new Stage({ onStop: () => { this.live?.leave(); } });
    this.person = new PersonField({ id: 'identity', label: t('person.who'), first: true });
    this.button = make('button', { type: 'submit', class: 'button primary large', id: 'verify' }, t('verify.start'));
    const file = make('input', { type: 'file', id: 'verify-file', accept: 'image/*' });
    this.asks = make('p', { class: 'asks' });
    this.form = make(
      'form', { class: 'panel area-person', novalidate: true, autocomplete: 'off' },
      this.person.root, this.button,
    );
    const more = make(
      'section', { class: 'panel area-more', 'aria-label': t('verify.more') },
      make('div', { class: 'beside' }, make('label', { class: 'button quiet file' }, t('verify.file'), file),
        make('p', { class: 'keys' }, make('kbd', {}, 'v'), ` ${t('keys.verify')} `, make('kbd', {}, 'q'), ` ${t('keys.stop')}`)),
      this.asks,
    );
    this.result = make('div', { id: 'result' }, this.steps());
    this.root = make(
      'div', { class: 'place verify' },
      make('div', { class: 'place-head' }, make('h1', { tabindex: '-1' }, t('nav.verify')), make('p', { class: 'lead' }, t('about'))),
      make('div', { class: 'verify-grid' }, this.form, make('section', { class: 'panel area-camera', 'aria-label': t('camera') }, this.stage.root),
        make('section', { class: 'panel area-result', 'aria-label': t('result') }, this.result),
        more),
    );
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.press(); });
    onChosen(file, ([chosen]) => { this.file(chosen); });
    onDropped(this.root, ([dropped]) => { if (dropped) this.file(dropped); });
    asking.addEventListener('change', () => { this.follow(); });
    this.follow();
  }

  async enter() {
    this.person.recall();
    const known = await this.person.suggest();
    this.first?.remove();
    if (known === 0 && !this.card) {
      this.first = make('p', { class: 'first' }, `${t('verify.nobody')} `, addLink());
      this.result.prepend(this.first);
    }
  }

  leave() {
    if (this.stage.live) this.stage.stop();
  }

  key(letter) {
    if (letter === 'v') this.press();
    else if (letter === 'q' && this.stage.live) this.stage.stop();
    else return false;
    return true;
  }

  /** Begins a live verification, or ends the one that runs. */
  async press() {
    if (this.live) {
      this.live.leave();
      return;
    }
    const identity = this.person.nameOrAsk();
    if (!identity || this.busy) return;
    if (!this.stage.camera.live && !await this.stage.start()) {
      if (!this.stage.live) this.show(showError(t('verify.no_camera'), { code: 'no_camera' }));
      return;
    }
    await this.run(async () => {
      this.live = new Live(this.stage);
      this.button.textContent = t('verify.stop');
      reveal(this.stage.picture);
      try {
        return await this.live.run(identity);
      } finally {
        this.live = null;
        this.button.textContent = t('verify.start');
      }
    });
  }

  /** Verifies a picture file. @param {File} file */
  async file(file) {
    const identity = this.person.nameOrAsk();
    if (!identity || this.busy) return;
    await this.run(async () => {
      const source = await picture(file);
      const began = performance.now();
      const answer = await api.verify(identity, file, asking.wanted);
      const roundTripMs = performance.now() - began;
      const image = source ? thumbnail(source, answer.face.box_normalized, THUMBNAIL_PX) : make('span', { class: 'thumbnail' });
      const { Card } = await import('./card.js');
      return new Card(answer, image, roundTripMs, asking.points);
    });
  }

  /** Waits for a card, and shows it, or why there is none. */
  async run(made) {
    this.busy = true;
    this.stage.say(null);
    this.result.setAttribute('aria-busy', 'true');
    try {
      const card = await made();
      if (!card) return;
      this.card = card;
      this.show(card.root);
      reveal(card.head.root);
      announce(card.summary);
    } catch (error) {
      this.card = null;
      const notice = showError(t('verify.undecided'), error);
      if (error.code === 'unknown_identity') notice.lastChild.append(make('p', {}, addLink()));
      this.show(notice);
    } finally {
      this.busy = false;
      this.result.removeAttribute('aria-busy');
    }
  }

  show(content) {
    this.result.replaceChildren(content);
    reveal(content);
  }

  /** Decides the shown answer again, and says what the next one is asked with. */
  follow() {
    if (this.card) {
      const before = this.card.summary;
      this.card.redecide(asking.inForce(this.card.answer?.fusion ?? asking.fusion));
      if (this.card.summary !== before) announce(this.card.summary);
    }
    this.asks.replaceChildren(`${asked()} `, make('a', { href: '#/model' }, t('asks.change')));
  }

  steps() {
    return make('ol', { class: 'steps' }, ...['name', 'look', 'wait'].map((step) => make('li', {}, t(`steps.${step}`))));
  }
}

const addLink = () => make('a', { href: '#/people/add' }, t('people.add'));

/** What a verification is asked with, in words. */
function asked() {
  if (!asking.model) return t('asks.reading');
  if (asking.wanted.detection === null && asking.fusion !== 'share') return t('asks.rule', { rule: t(`fusion.${asking.fusion}`) });
  const threshold = asking.inForce('share').detection;
  const loosest = Math.max(...asking.points.map((point) => point.fmr));
  const cost = fmrInWords(fmrOf(asking.points, threshold), loosest);
  return t(asking.usual ? 'asks.usual' : 'asks.chosen', { threshold: score(threshold), cost });
}

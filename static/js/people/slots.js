/** Four places for the pictures of a guided enrolment, that fill one by one. */

import { icon, make } from '../dom.js';
import { t } from '../language.js';
import { POSES } from './guide.js';

/** Shows what is asked for, what is taken, and what was skipped. */
export class Slots {
  constructor() {
    this.slots = POSES.map((pose) => {
      const picture = make('span', { class: 'slot-picture' }, icon(pose));
      const state = make('span', { class: 'visually-hidden' });
      return { picture, state, root: make('li', { class: 'slot' }, picture, make('span', {}, t(`slot.${pose}`)), state) };
    });
    this.root = make('ol', { class: 'slots', 'aria-label': t('slots') }, ...this.slots.map((slot) => slot.root));
    this.reset();
  }

  reset() {
    this.slots.forEach((slot, index) => {
      slot.picture.replaceChildren(icon(POSES[index]));
      mark(slot, 'empty');
    });
  }

  /** Marks which one is asked for. @param {number} index */
  ask(index) {
    if (this.slots[index]) mark(this.slots[index], 'asked');
  }

  /** @param {number} index @param {HTMLElement} image */
  take(index, image) {
    this.slots[index].picture.replaceChildren(image);
    mark(this.slots[index], 'taken');
  }

  /** @param {number} index */
  skip(index) {
    mark(this.slots[index], 'skipped');
  }
}

function mark(slot, state) {
  slot.root.dataset.state = state;
  slot.state.textContent = t(`slot.is.${state}`);
}

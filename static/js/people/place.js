/** People: who is enrolled, one of them closely, and adding somebody. */

import { icon, make } from '../dom.js';
import { t } from '../language.js';
import { Add } from './add.js';
import { Gallery } from './gallery.js';
import { Sheet } from './sheet.js';

/** @returns {import('../places.js').Place} */
export const create = () => new PeoplePlace();

class PeoplePlace {
  constructor() {
    this.whom = '';
    this.add = null;
    this.sheet = new Sheet({
      onChanged: () => { this.gallery.reload(); },
      onAdd: (identity) => { this.whom = identity; location.hash = '#/people/add'; },
    });
    this.gallery = new Gallery((identity) => { this.sheet.open(identity); });
    this.all = make(
      'div', {},
      make('div', { class: 'place-head' }, make('h1', { tabindex: '-1' }, t('nav.people')), this.gallery.count),
      make('div', { class: 'people-tools' }, this.gallery.search, make('a', { class: 'button primary', href: '#/people/add', 'data-first': true }, icon('plus'), t('people.add'))),
      make('section', { class: 'panel', 'aria-label': t('people.enrolled') }, this.gallery.root),
    );
    this.adding = make(
      'div', { hidden: true },
      make('div', { class: 'place-head' }, make('h1', { tabindex: '-1' }, t('add.title')), make('a', { href: '#/people' }, t('add.back'))),
    );
    this.root = make('div', { class: 'place people' }, this.all, this.adding, this.sheet.root);
  }

  /** @param {string} part */
  enter(part) {
    const adding = part === 'add';
    this.all.hidden = adding;
    this.adding.hidden = !adding;
    if (adding) {
      if (!this.add) {
        this.add = new Add({ onEnrolled: () => { this.gallery.reload(); } });
        this.adding.append(this.add.root);
      }
      this.add.enter(this.whom);
      this.whom = '';
    } else {
      this.add?.leave();
      this.gallery.reload();
    }
  }

  leave() {
    this.add?.leave();
    this.sheet.root.close();
  }

  key(letter) {
    if (letter !== 'q' || !this.add?.stage.live) return false;
    this.add.stage.stop();
    return true;
  }
}

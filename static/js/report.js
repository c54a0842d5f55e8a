/** What became of the pictures of an enrolment, one line each. */

import { icon, make } from './dom.js';
import { problemInWords } from './panel.js';
import { percent, reasonsInWords } from './words.js';

/** A list with one line for each picture, filled in as things become known. */
export class Report {
  /** @param {number} slots */
  constructor(slots) {
    this.lines = Array.from({ length: slots }, () => new Line());
    this.status = make('p', { class: 'report-status' });
    this.progress = make('progress', { max: String(slots), value: '0', 'aria-label': 'Pictures taken' });
    this.root = make(
      'div', { class: 'report' },
      this.status, this.progress,
      make('ul', { class: 'pictures' }, ...this.lines.map((line) => line.root)),
    );
  }

  /** @param {string} text */
  say(text) {
    this.status.textContent = text;
  }

  /** Fills a line with a picture. */
  picture(index, image, title, detail) {
    this.lines[index].picture(image, title);
    this.lines[index].state('', detail);
    this.progress.value = index + 1;
  }

  /**
   * Fills in the service's answer.
   * @param {any[]} accepted
   * @param {any[]} rejected
   */
  answer(accepted, rejected) {
    this.progress.hidden = true;
    accepted.forEach(({ index, quality, duplicate }) => {
      const text = duplicate ? 'Already enrolled: the same picture' : `Accepted, quality ${percent(quality)}`;
      this.lines[index]?.state('accepted', text);
    });
    rejected.forEach((item) => {
      this.lines[item.index]?.state('rejected', `Rejected: ${why(item)}`);
    });
  }

  /** Marks every line that has no answer. @param {string} text */
  unanswered(text) {
    this.progress.hidden = true;
    this.lines.filter((line) => !line.answered).forEach((line) => { line.state('', text); });
  }
}

class Line {
  constructor() {
    this.answered = false;
    this.image = make('span', { class: 'thumbnail' });
    this.mark = make('span', { class: 'mark' });
    this.title = make('span', { class: 'picture-name' });
    this.detail = make('span', { class: 'picture-state' });
    this.root = make('li', {}, this.image, make('div', {}, this.title, this.detail), this.mark);
  }

  picture(image, title) {
    this.image.replaceWith(image);
    this.image = image;
    this.title.textContent = title;
  }

  state(state, text) {
    this.answered = Boolean(state);
    this.root.dataset.state = state;
    this.detail.textContent = text;
    this.mark.replaceChildren(...(state ? [icon(state === 'accepted' ? 'yes' : 'no')] : []));
  }
}

const why = (item) => (item.reasons.length ? `${reasonsInWords(item.reasons)}.` : problemInWords(item));

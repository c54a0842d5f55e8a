/** What became of the pictures of an enrolment, one line each. */

import { icon, make } from '../dom.js';
import { percent, t } from '../language.js';
import { conflictsInWords, problemInWords } from '../words.js';

/** A status, and a line for each picture, filled in as things become known. */
export class Report {
  /** @param {{image: HTMLElement, title: string}[]} pictures */
  constructor(pictures) {
    this.lines = pictures.map((picture) => new Line(picture));
    this.status = make('p', { class: 'report-status' });
    this.conflicts = make('div', { class: 'conflicts', hidden: true });
    this.after = make('div', { class: 'row after' });
    // Hidden until all is known: what comes above it would move it.
    this.list = make('ul', { class: 'pictures', hidden: true }, ...this.lines.map((line) => line.root));
    this.root = make('div', { class: 'report' }, this.status, this.conflicts, this.after, this.list);
  }

  /** @param {string} text */
  say(text) {
    this.status.textContent = text;
  }

  /**
   * Fills in the service's answer.
   * @param {any} answer
   */
  answer({ identity, accepted, rejected, references, conflicts }) {
    this.each(accepted, rejected);
    this.say(t('add.accepted', { accepted: accepted.length, of: this.lines.length, identity, count: references }));
    // What was refused for it says so in its own line.
    const stored = conflicts.filter((item) => item.reference_id);
    this.conflicts.hidden = !stored.length;
    this.conflicts.replaceChildren(
      ...conflictsInWords(stored, identity).map((text) => make('p', {}, text)),
      make('p', {}, t('conflict.stored', { count: stored.length })),
    );
  }

  /** Fills in why nothing was stored. @param {any} problem */
  failure(problem) {
    this.each([], problem.rejected ?? []);
    this.lines.filter((line) => !line.answered).forEach((line) => { line.state('', t('add.not_enrolled')); });
    this.say(problemInWords(problem));
  }

  /** What it says, with what is odd about it. */
  get summary() {
    const more = this.conflicts.hidden ? [] : [...this.conflicts.children].map((line) => line.textContent);
    return [this.status.textContent, ...more].join(' ');
  }

  each(accepted, rejected) {
    this.list.hidden = false;
    accepted.forEach(({ index, quality, duplicate }) => {
      this.lines[index]?.state('accepted', duplicate ? t('add.duplicate') : t('add.accepted_one', { percent: percent(quality) }));
    });
    rejected.forEach((item) => { this.lines[item.index]?.state('rejected', t('add.rejected_one', { why: problemInWords(item) })); });
  }
}

class Line {
  constructor({ image, title }) {
    this.answered = false;
    this.mark = make('span', { class: 'mark' });
    this.detail = make('span', { class: 'picture-state' });
    this.root = make('li', {}, image, make('div', {}, make('span', { class: 'picture-name' }, make('bdi', {}, title)), this.detail), this.mark);
  }

  state(state, text) {
    this.answered = Boolean(state);
    this.root.dataset.state = state;
    this.detail.textContent = text;
    this.mark.replaceChildren(...(state ? [icon(state === 'accepted' ? 'yes' : 'no')] : []));
  }
}

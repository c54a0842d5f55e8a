/** What the answers to one picture and to a camera have in common. */

import { icon, make } from '../dom.js';
import { t } from '../language.js';

/** The verdict, large, with a picture of the face and a line of why. */
export class VerdictHead {
  /** @param {HTMLElement} thumbnail Of the probe. */
  constructor(thumbnail) {
    this.word = make('p', { class: 'verdict-word' });
    this.mark = make('span', { class: 'verdict-mark' });
    this.line = make('p', { class: 'verdict-share' });
    this.root = make(
      'div', { class: 'verdict' },
      make('figure', { class: 'probe' }, thumbnail, make('figcaption', {}, t('verdict.probe'))),
      make('div', { class: 'verdict-text' }, make('div', { class: 'verdict-line' }, this.mark, this.word), this.line),
    );
  }

  /**
   * @param {boolean} verified
   * @param {string} identity
   * @param {...(Node|string)} why
   */
  say(verified, identity, ...why) {
    this.root.dataset.verified = String(verified);
    this.mark.replaceChildren(icon(verified ? 'yes' : 'no'));
    this.word.textContent = verdictInWords(verified, identity);
    this.line.replaceChildren(...why);
  }

  /** "Verified as ada. 8 of 10 references match." */
  get summary() {
    return t('verdict.summary', { verdict: this.word.textContent, why: this.line.textContent });
  }
}

/** "Verified as ada" @param {boolean} verified @param {string} identity */
export const verdictInWords = (verified, identity) => t(verified ? 'verdict.yes' : 'verdict.no', { identity });

/** One fact below a verdict. @param {string} name */
export function fact(name) {
  const value = make('strong');
  const note = make('span');
  const root = make('div', {}, make('dt', {}, name), make('dd', {}, value, ' ', note));
  return {
    root,
    set(number, words) {
      value.textContent = number ?? '';
      note.textContent = words;
    },
  };
}

/** A slider that is at its default until it is moved. */

import { make } from './dom.js';

/** One threshold, with what it means beside it. */
export class Slider {
  /**
   * @param {any} options `initial` is a threshold; `toSlider` and `fromSlider` turn one
   *   into the slider's own number and back; `shown` and `meaning` are its words, `help`
   *   the slider's; `unset`, where given, is said in their place while nothing is set.
   * @param {() => void} onChange
   */
  constructor(options, onChange) {
    this.options = options;
    this.onChange = onChange;
    this.override = null;
    const { id, label, range } = options;
    this.input = make('input', {
      type: 'range', id: `${id}-threshold`, ...range,
      'aria-describedby': `${id}-help ${id}-meaning`, oninput: () => { this.moved(); },
    });
    this.output = make('output', { for: `${id}-threshold` });
    this.help = make('p', { class: 'help', id: `${id}-help` });
    this.meaning = make('p', { class: 'meaning', id: `${id}-meaning` });
    this.reset = make('button', { type: 'button', class: 'link', onclick: () => { this.toDefault(); } }, 'use model default');
    this.root = make(
      'div', { class: 'slider' },
      make(
        'div', { class: 'slider-head' },
        make('label', { for: `${id}-threshold` }, label),
        make('div', { class: 'slider-value' }, this.output, this.reset),
      ),
      this.help,
      this.input,
      this.meaning,
    );
    this.input.value = String(options.toSlider(options.initial));
    this.draw();
  }

  moved() {
    this.override = this.options.fromSlider(this.input.valueAsNumber);
    this.draw();
    this.onChange();
  }

  toDefault() {
    this.override = null;
    this.input.value = String(this.options.toSlider(this.options.initial));
    this.draw();
    this.onChange();
    // The button disappears; the keyboard's place must not.
    this.input.focus();
  }

  draw() {
    const value = this.override ?? this.options.initial;
    const unset = this.override === null ? this.options.unset?.() : null;
    const text = unset ? 'by the rule' : this.options.shown(value);
    const meaning = unset ?? this.options.meaning(value);
    this.help.textContent = this.options.help();
    this.output.textContent = this.override === null ? `${text} (default)` : text;
    this.input.setAttribute('aria-valuetext', `${text}. ${meaning}`);
    this.meaning.textContent = meaning;
    this.reset.hidden = this.override === null;
  }
}

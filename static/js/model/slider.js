/** A slider that is at its default until it is moved. */

import { make } from '../dom.js';
import { t } from '../language.js';

/** One threshold, with what it means beside it. */
export class Slider {
  /**
   * @param {any} options `initial` is a threshold; `toSlider` and `fromSlider` turn one
   *   into the slider's own number and back; `shown` and `meaning` are its words, `help`
   *   the slider's; `unset`, where given, is said in their place while nothing is set.
   * @param {(override: number|null) => void} onChange
   */
  constructor(options, onChange) {
    this.options = options;
    this.onChange = onChange;
    this.override = options.override;
    const { id, label, range } = options;
    this.input = make('input', {
      type: 'range', id: `${id}-threshold`, ...range,
      'aria-describedby': `${id}-help ${id}-meaning`, oninput: () => { this.moved(); },
    });
    this.output = make('output', { for: `${id}-threshold` });
    this.help = make('p', { class: 'help', id: `${id}-help` });
    this.meaning = make('div', { class: 'meaning', id: `${id}-meaning` });
    this.reset = make('button', { type: 'button', class: 'link', onclick: () => { this.toDefault(); } }, t('slider.default'));
    this.root = make(
      'div', { class: 'slider' },
      make(
        'div', { class: 'slider-head' },
        make('label', { for: `${id}-threshold` }, label),
        this.output,
      ),
      this.help,
      this.input,
      this.meaning,
      this.reset,
    );
    this.input.value = String(options.toSlider(this.override ?? options.initial));
    this.draw();
  }

  moved() {
    this.override = this.options.fromSlider(this.input.valueAsNumber);
    this.draw();
    this.onChange(this.override);
  }

  toDefault() {
    this.override = null;
    this.input.value = String(this.options.toSlider(this.options.initial));
    this.draw();
    this.onChange(null);
    // The button disappears; the keyboard's place must not.
    this.input.focus();
  }

  draw() {
    const value = this.override ?? this.options.initial;
    const unset = this.override === null ? this.options.unset?.() : null;
    const text = unset ? t('slider.by_rule') : this.options.shown(value);
    const meaning = unset ? [unset] : this.options.meaning(value);
    this.help.textContent = this.options.help();
    this.output.textContent = this.override === null ? t('slider.at_default', { value: text }) : text;
    this.input.setAttribute('aria-valuetext', [text, ...meaning].join('. '));
    this.meaning.replaceChildren(...meaning.map((line) => make('p', {}, line)));
    // Its place stays, so that nothing moves under the finger.
    this.reset.toggleAttribute('data-idle', this.override === null);
    this.reset.disabled = this.override === null;
  }
}

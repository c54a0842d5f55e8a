/** A choice of the rule by which several references make one verdict. */

import { make } from '../dom.js';
import { t } from '../language.js';

const RULES = ['share', 'max', 'mean', 'centroid'];

/** Left at its default it sends nothing: the service decides. */
export class FusionChoice {
  /**
   * @param {string} initial The service's rule.
   * @param {string|null} override What was chosen before.
   * @param {(override: string|null) => void} onChange
   */
  constructor(initial, override, onChange) {
    this.initial = initial;
    const chosen = override ?? initial;
    const options = RULES.map((rule) => make(
      'option', { value: rule, selected: rule === chosen },
      rule === initial ? t('fusion.default', { rule: t(`fusion.${rule}`) }) : t(`fusion.${rule}`),
    ));
    this.select = make('select', {
      id: 'fusion', 'aria-describedby': 'fusion-help',
      onchange: () => { this.draw(); onChange(this.rule === this.initial ? null : this.rule); },
    }, ...options);
    this.help = make('p', { class: 'help', id: 'fusion-help' });
    this.root = make('div', { class: 'fusion' }, make('label', { for: 'fusion' }, t('fusion')), this.select, this.help);
    this.draw();
  }

  /** The chosen rule. */
  get rule() {
    return this.select.value;
  }

  draw() {
    this.help.textContent = t(`fusion.${this.rule}.help`);
  }
}

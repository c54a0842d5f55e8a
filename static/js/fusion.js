/** The rule by which several references make one verdict. */

import { make } from './dom.js';

/** What a rule is called, what its score is called, and what it means. */
const RULES = {
  share: {
    name: 'Share of references that match',
    help: 'Each reference matches or not; verified when enough of them do.',
  },
  max: {
    name: 'Best reference',
    score: 'best reference',
    help: 'Verified when the most similar reference is similar enough. One wrong picture is enough to let somebody in.',
  },
  mean: {
    name: 'Average of all references',
    score: 'average',
    help: 'Verified when the references are similar enough on average.',
  },
  centroid: {
    name: 'One template of all references',
    score: 'template',
    help: 'The references are merged, good pictures counting more; verified when the result is similar enough.',
  },
};

/**
 * What the fused score of a rule is of: "best reference".
 * @param {string} rule
 */
export const fusedOf = (rule) => RULES[rule]?.score ?? rule;

/** A choice of the rule. Left at its default it sends nothing: the service decides. */
export class FusionChoice {
  /**
   * @param {string} initial The service's rule.
   * @param {() => void} onChange
   */
  constructor(initial, onChange) {
    this.initial = initial;
    const options = Object.entries(RULES).map(([rule, { name }]) => make(
      'option', { value: rule, selected: rule === initial }, rule === initial ? `${name} (default)` : name,
    ));
    this.select = make('select', {
      id: 'fusion', 'aria-describedby': 'fusion-help', onchange: () => { this.draw(); onChange(); },
    }, ...options);
    this.help = make('p', { class: 'help', id: 'fusion-help' });
    this.root = make(
      'div', { class: 'fusion' },
      make('label', { for: 'fusion' }, 'Rule for several references'), this.select, this.help,
    );
    this.draw();
  }

  /** The chosen rule. */
  get rule() {
    return this.select.value;
  }

  /** What to send: null for the default. */
  get override() {
    return this.rule === this.initial ? null : this.rule;
  }

  draw() {
    this.help.textContent = RULES[this.rule].help;
  }
}

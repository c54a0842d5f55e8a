/** The field for the identity that somebody claims to be. */

import * as api from '../api.js';
import { make } from '../dom.js';
import { t } from '../language.js';

const SUGGESTED = 100;
/** Whom the last thing done was about: who was just added is verified next. */
let last = '';

/** A labelled field with suggestions and a place for a complaint. */
export class PersonField {
  /** @param {{id: string, label: string, first?: boolean}} options */
  constructor({ id, label, first }) {
    this.input = make('input', {
      id, name: id, list: `${id}-list`, required: true, maxlength: '128', autocapitalize: 'off', autocomplete: 'off',
      spellcheck: 'false', placeholder: t('person.example'), 'aria-describedby': `${id}-error`, 'data-first': first,
      oninput: () => { this.complain(''); },
    });
    this.list = make('datalist', { id: `${id}-list` });
    this.fault = make('p', { class: 'field-error', id: `${id}-error` });
    this.root = make('div', {}, make('label', { class: 'field' }, make('span', {}, label), this.input), this.list, this.fault);
  }

  /** The name typed, or null after asking for one. @returns {string|null} */
  nameOrAsk() {
    const name = this.input.value.trim();
    this.complain(name ? '' : t('person.missing'));
    if (!name) this.input.focus();
    last = name;
    return name || null;
  }

  /** Fills in whom the last thing done was about. */
  recall() {
    if (last) this.input.value = last;
  }

  /** Suggests who is enrolled. @returns {Promise<number|null>} How many; null if that is not to be known. */
  async suggest() {
    try {
      const { identities } = await api.identities(null, SUGGESTED);
      this.list.replaceChildren(...identities.map(({ identity }) => make('option', { value: identity })));
      return identities.length;
    } catch {
      // A key that may only verify, for instance: then one has to know the name.
      return null;
    }
  }

  complain(text) {
    this.fault.textContent = text;
    this.input.setAttribute('aria-invalid', String(Boolean(text)));
  }
}

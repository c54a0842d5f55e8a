/** One person: references and how well they agree, and what can be done. */

import * as api from '../api.js';
import { announce, icon, make } from '../dom.js';
import { moment, t } from '../language.js';
import { problemInWords } from '../words.js';
import { askDelete, askDeleteReference, askMerge, askRename } from './questions.js';
import { referenceList } from './references.js';
import { thumb } from './thumbs.js';

const PICTURE_PX = 72;

/** A dialog about one identity. */
export class Sheet {
  /** @param {{onChanged: () => void, onAdd: (identity: string) => void}} listeners */
  constructor(listeners) {
    this.listeners = listeners;
    this.identity = '';
    this.name = make('bdi');
    this.title = make('h2', { id: 'sheet-title', tabindex: '-1' }, this.name);
    this.facts = make('p', { class: 'tile-note' });
    this.picture = make('div');
    this.body = make('div', { class: 'sheet-body' });
    const close = make('button', { type: 'button', class: 'button small round', 'aria-label': t('close'), onclick: () => { this.root.close(); } }, icon('no'));
    const button = (key, act, kind = '') => make('button', { type: 'button', class: `button quiet ${kind}`, onclick: act }, t(key));
    this.actions = make(
      'div', { class: 'sheet-actions' },
      button('person.add', () => { this.root.close(); listeners.onAdd(this.identity); }),
      button('person.rename', () => { this.change((detail) => askRename(detail)); }),
      button('person.merge', () => { this.change((detail) => askMerge(detail)); }),
      button('person.delete', () => { this.change((detail) => askDelete(detail)); }, 'dangerous'),
    );
    this.root = make(
      'dialog', { class: 'sheet', 'aria-labelledby': 'sheet-title' },
      make('header', {}, this.picture, make('div', { class: 'grow' }, this.title, this.facts), close),
      this.actions, this.body,
    );
  }

  /** Opens it. @param {string} identity */
  async open(identity) {
    this.identity = identity;
    this.name.textContent = identity;
    this.facts.textContent = t('reading');
    this.body.replaceChildren();
    this.picture.replaceChildren();
    this.root.showModal();
    this.title.focus();
    this.loading = this.load();
    await this.loading;
  }

  async load() {
    const identity = this.identity;
    // Of whoever was shown before: nothing may be asked of them any more.
    this.detail = null;
    try {
      const detail = await api.identity(identity);
      if (this.identity !== identity) return;
      this.detail = detail;
      const first = [...detail.items].sort((a, b) => (a.outlier - b.outlier) || (b.quality - a.quality))[0];
      this.picture.replaceChildren(thumb(detail.identity, () => first.reference_id, PICTURE_PX));
      this.facts.textContent = [
        t('references', { count: detail.references }), t('person.since', { moment: moment(detail.created_at) }),
        detail.last_used_at && t('person.used', { moment: moment(detail.last_used_at) }),
      ].filter(Boolean).join(' · ');
      this.body.replaceChildren(referenceList(detail, (reference) => { this.change(() => askDeleteReference(detail, reference)); }));
    } catch (error) {
      if (this.identity === identity) this.facts.textContent = problemInWords(error);
    }
  }

  /** Asks something; then shows what has become of it. */
  async change(asked) {
    // Who presses a button before the person is read is asked a moment later.
    await this.loading;
    if (!this.detail) return;
    const outcome = await asked(this.detail);
    if (!outcome) return;
    announce(outcome.said);
    this.listeners.onChanged();
    if (outcome.now === null) {
      this.root.close();
      return;
    }
    this.identity = outcome.now;
    this.name.textContent = outcome.now;
    this.loading = this.load();
    await this.loading;
    this.title.focus();
  }
}

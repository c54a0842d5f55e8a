/** The list of enrolled identities, a page at a time. */

import * as api from './api.js';
import { confirm } from './dialog.js';
import { announce, byId, icon, make } from './dom.js';
import { suggest } from './person.js';
import { referenceList } from './references.js';
import { count, moment } from './words.js';

const PAGE = 20;

/** Shows, opens and deletes identities. */
export class Identities {
  constructor() {
    this.items = [];
    this.open = new Set();
    this.cursor = null;
    this.round = 0;
    this.more = byId('more');
    this.more.addEventListener('click', () => { this.next(); });
  }

  /** Reads the list again from its beginning. */
  async reload() {
    await this.read(null);
  }

  async next() {
    const first = this.items.length;
    await this.read(this.cursor);
    byId('identities').children[first]?.querySelector('button').focus();
  }

  async read(cursor) {
    this.round += 1;
    const { round } = this;
    try {
      const page = await api.identities(cursor, PAGE);
      // An answer that a newer question overtook would bring back what is gone.
      if (round !== this.round) return;
      this.items = cursor ? [...this.items, ...page.identities] : page.identities;
      this.cursor = page.next_cursor;
      this.draw();
    } catch (error) {
      this.say(error.message);
    }
  }

  draw() {
    const { items, cursor } = this;
    byId('identities').replaceChildren(...items.map((item) => this.row(item)));
    this.more.hidden = !cursor;
    const shown = count(items.length, 'identity', 'identities');
    byId('identity-count').textContent = cursor ? `the first ${shown}` : (items.length ? shown : '');
    this.say(items.length ? '' : 'Nobody is enrolled yet.');
    suggest(items.map((item) => item.identity));
  }

  row(item) {
    const { identity, references, created_at: created } = item;
    const body = make('div', { class: 'identity-body', hidden: true });
    const opener = make(
      'button', { type: 'button', class: 'opener', 'aria-expanded': 'false', onclick: () => { this.toggle(item, opener, body); } },
      icon('chevron'), make('span', { class: 'identity-name' }, identity),
    );
    const remove = make(
      'button', { type: 'button', class: 'button quiet small', onclick: () => { this.remove(item); } },
      'Delete', make('span', { class: 'visually-hidden' }, ` ${identity}`),
    );
    const root = make(
      'li', {},
      make('div', { class: 'identity-row' }, opener, make('span', { class: 'identity-count' }, count(references, 'reference')),
        make('time', { datetime: created }, moment(created)), remove),
      body,
    );
    if (this.open.has(identity)) this.toggle(item, opener, body);
    return root;
  }

  async toggle({ identity }, opener, body) {
    const opening = opener.getAttribute('aria-expanded') === 'false';
    opener.setAttribute('aria-expanded', String(opening));
    body.hidden = !opening;
    if (!opening) {
      this.open.delete(identity);
      return;
    }
    this.open.add(identity);
    try {
      const detail = await api.identity(identity);
      body.replaceChildren(referenceList(detail, (reference) => { this.removeReference(detail, reference); }));
    } catch (error) {
      body.replaceChildren(make('p', { class: 'empty' }, error.message));
    }
  }

  async remove({ identity, references }) {
    const sure = await confirm({
      title: `Delete ${identity}?`,
      text: `${count(references, 'reference')} will be erased from the service. This cannot be undone.`,
      action: 'Delete',
    });
    if (sure) await this.erase(() => api.deleteIdentity(identity), `${identity} was deleted.`, identity);
  }

  async removeReference({ identity, items }, reference) {
    const last = items.length === 1;
    const sure = await confirm({
      title: 'Delete this reference?',
      text: last
        ? `It is the last reference of ${identity}; the identity goes with it. This cannot be undone.`
        : `${identity} keeps ${count(items.length - 1, 'reference')}. This cannot be undone.`,
      action: 'Delete',
    });
    if (sure) {
      await this.erase(() => api.deleteReference(identity, reference), 'The reference was deleted.', last ? identity : null);
    }
  }

  async erase(call, done, gone) {
    try {
      await call();
      if (gone) this.open.delete(gone);
      announce(done);
      await this.reload();
    } catch (error) {
      this.say(error.message);
      announce(error.message);
    }
    // What had the focus may be gone; the next key should start from here.
    byId('identities-title').focus();
  }

  say(text) {
    byId('identities-message').textContent = text;
    byId('identities-message').hidden = !text;
  }
}

/** The gallery of identities: found by name, a page at a time. */

import * as api from '../api.js';
import { make } from '../dom.js';
import { day, t } from '../language.js';
import { problemInWords } from '../words.js';
import { thumb } from './thumbs.js';

const PAGE = 24;
/** How many are looked through for a name; whoever has more knows whom to look for. */
const SEARCHED = 1000;
const SEARCH_PAGE = 500;
const PAUSE_MS = 200;
const TILE_PX = 56;

/** Shows identities, and says which one was chosen. */
export class Gallery {
  /** @param {(identity: string) => void} onChosen */
  constructor(onChosen) {
    this.onChosen = onChosen;
    this.items = [];
    this.cursor = null;
    this.round = 0;
    this.search = make('input', { type: 'search', id: 'people-search', placeholder: t('people.search'), 'aria-label': t('people.search'), maxlength: '128', spellcheck: 'false', autocomplete: 'off' });
    this.search.addEventListener('input', () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => { this.reload(); }, PAUSE_MS);
    });
    this.count = make('p', { class: 'count', role: 'status' });
    this.list = make('ul', { class: 'identities' });
    this.message = make('p', { class: 'empty' }, t('reading'));
    this.more = make('button', { type: 'button', class: 'button', hidden: true, onclick: () => { this.next(); } }, t('people.more'));
    this.root = make('div', { class: 'gallery' }, this.list, this.message, this.more);
  }

  /** Reads the list again from its beginning. */
  async reload() {
    await this.read(async () => {
      const wanted = this.search.value.trim();
      return wanted ? { identities: await find(wanted), next_cursor: null } : api.identities(null, PAGE);
    });
  }

  async next() {
    const first = this.items.length;
    await this.read(async () => {
      const page = await api.identities(this.cursor, PAGE);
      return { ...page, identities: [...this.items, ...page.identities] };
    });
    this.list.children[first]?.querySelector('button').focus();
  }

  async read(asked) {
    this.round += 1;
    const { round } = this;
    try {
      const page = await asked();
      // An answer that a newer question overtook would bring back what is gone.
      if (round !== this.round) return;
      this.items = page.identities;
      this.cursor = page.next_cursor;
      this.draw();
    } catch (error) {
      this.say(problemInWords(error));
    }
  }

  draw() {
    const { items, cursor } = this;
    const there = new Map([...this.list.children].map((tile) => [tile.dataset.key, tile]));
    this.list.replaceChildren(...items.map((item) => there.get(keyOf(item)) ?? this.tile(item)));
    this.more.hidden = !cursor;
    this.count.textContent = t(cursor ? 'people.first' : 'people.count', { count: items.length });
    this.say(items.length ? '' : t(this.search.value.trim() ? 'people.not_found' : 'people.nobody'));
  }

  tile(item) {
    const { identity, references, created_at: created } = item;
    const picture = thumb(identity, () => best(identity), TILE_PX);
    return make(
      'li', { 'data-key': keyOf(item) },
      make(
        'button', { type: 'button', class: 'tile', onclick: () => { this.onChosen(identity); } },
        picture,
        make('span', { class: 'tile-text' }, make('span', { class: 'identity-name' }, make('bdi', {}, identity)),
          make('span', { class: 'tile-note' }, t('references', { count: references }), ' · ', make('time', { datetime: created }, day(created)))),
      ),
    );
  }

  say(text) {
    this.message.textContent = text;
    this.message.hidden = !text;
  }
}

const keyOf = ({ identity, references }) => `${references} ${identity}`;

/** The reference to show: the best of those that agree. */
async function best(identity) {
  const { items } = await api.identity(identity);
  const [first] = [...items].sort((a, b) => (a.outlier - b.outlier) || (b.quality - a.quality));
  return first.reference_id;
}

async function find(wanted) {
  const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
  const found = [];
  let looked = 0;
  let cursor = null;
  do {
    const page = await api.identities(cursor, SEARCH_PAGE);
    found.push(...page.identities.filter(({ identity }) => plain(identity).includes(plain(wanted))));
    looked += page.identities.length;
    cursor = page.next_cursor;
  } while (cursor && looked < SEARCHED);
  // Beyond those, the whole name finds.
  if (cursor && !found.some(({ identity }) => identity === wanted)) {
    const whole = await api.identity(wanted).catch(() => null);
    if (whole) found.unshift(whole);
  }
  return found;
}

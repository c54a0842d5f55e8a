/** One bar for each reference, from the detection threshold to its score. */

import { icon, make } from '../dom.js';
import { decimal, t, whole } from '../language.js';
import { score } from '../words.js';
import { place, TICKS } from '../scale.js';

/** Scores of one probe against all references of an identity. */
export class Chart {
  /** @param {{reference_id: string, score: number}[]} scores */
  constructor(scores) {
    this.rows = scores.map((item, index) => new Row(item, index));
    this.line = make('span', { class: 'threshold-line' });
    this.label = make('span', { class: 'threshold-label' });
    this.root = make(
      'div', { class: 'chart', dir: 'ltr' },
      make('div', { class: 'chart-top', 'aria-hidden': 'true' }, make('span'), make('div', { class: 'lane' }, this.label)),
      make(
        'div', {
          class: 'chart-body', tabindex: scores.length > 12 ? '0' : null,
          role: 'group', 'aria-label': t('chart', { count: scores.length }),
        },
        make('div', { class: 'threshold-layer', 'aria-hidden': 'true' }, make('div', { class: 'lane' }, this.line)),
        make('ol', { class: 'bars' }, ...this.rows.map((row) => row.root)),
      ),
      axis(),
    );
  }

  /**
   * Draws the bars from a threshold.
   * @param {number} threshold
   */
  decide(threshold) {
    const at = place(threshold);
    this.line.style.left = `${at}%`;
    this.label.style.left = `${at}%`;
    this.label.style.transform = `translateX(-${at}%)`;
    this.label.textContent = t('chart.threshold', { score: score(threshold) });
    this.rows.forEach((row) => { row.decide(threshold); });
  }
}

class Row {
  constructor(item, index) {
    this.score = item.score;
    this.bar = make('span', { class: 'bar' });
    this.dot = make('span', { class: 'dot' });
    this.word = make('span', { class: 'visually-hidden' });
    this.mark = make('span', { class: 'mark' });
    this.root = make(
      'li', { title: item.reference_id },
      make('span', { class: 'ordinal', 'aria-hidden': 'true' }, whole(index + 1)),
      make('span', { class: 'visually-hidden' }, t('reference.number', { number: index + 1 })),
      make('div', { class: 'lane', 'aria-hidden': 'true' }, this.bar, this.dot),
      make('span', { class: 'score' }, score(item.score)),
      this.mark,
      this.word,
    );
    this.dot.style.left = `${place(item.score)}%`;
  }

  decide(threshold) {
    const [from, to] = [place(threshold), place(this.score)].sort((a, b) => a - b);
    this.bar.style.left = `${from}%`;
    this.bar.style.width = `${to - from}%`;
    const matched = this.score > threshold;
    if (this.root.dataset.matched === String(matched)) return;
    this.root.dataset.matched = String(matched);
    this.word.textContent = t(matched ? 'chart.match' : 'chart.no_match');
    this.mark.replaceChildren(icon(matched ? 'yes' : 'no'));
  }
}

function axis() {
  const ticks = TICKS.map(({ value, minor }) => {
    const tick = make('span', { class: minor ? 'tick minor' : 'tick' }, decimal(value, decimals(value)));
    tick.style.left = `${place(value)}%`;
    return tick;
  });
  return make(
    'div', { class: 'axis', 'aria-hidden': 'true' },
    make('span'),
    make('div', { class: 'lane' }, ...ticks),
    make('p', { class: 'axis-note' }, t('chart.axis')),
  );
}

const decimals = (value) => String(value).split('.')[1].length;

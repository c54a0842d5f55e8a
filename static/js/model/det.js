/** The DET curve: false rejections over false matches, both on logarithmic axes. */

import { draw } from '../dom.js';
import { percent, t, whole } from '../language.js';

const WIDTH = 560;
const HEIGHT = 380;
const AREA = { left: 74, right: 44, top: 18, bottom: 62 };
const RATES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

/** The curve of one table, and where the page's threshold lies on it. */
export class Det {
  /** @param {{fmr: number, fnmr: number, fmr_interval: number[], fnmr_interval: number[]}[]} points */
  constructor(points) {
    const sorted = [...points].sort((a, b) => a.fmr - b.fmr);
    this.x = scale(sorted[0].fmr, sorted.at(-1).fmr, AREA.left, WIDTH - AREA.right);
    const rates = sorted.flatMap((point) => [point.fnmr, ...point.fnmr_interval]).filter((rate) => rate > 0);
    this.y = scale(Math.min(...rates), Math.max(...rates), HEIGHT - AREA.bottom, AREA.top);
    this.across = draw('path', { class: 'det-guide' });
    this.mark = draw('circle', { class: 'det-mark', r: 7 });
    const line = sorted.map((point, index) => `${index ? 'L' : 'M'}${this.x(point.fmr)} ${this.y(point.fnmr)}`).join('');
    this.root = draw(
      'svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'det', role: 'img', 'aria-label': t('det.described', { count: sorted.length }), direction: 'ltr' },
      ...this.columns(sorted), ...this.rows(Math.min(...rates), Math.max(...rates)),
      ...sorted.map((point) => this.interval(point)),
      draw('path', { class: 'det-line', d: line }),
      ...sorted.map((point) => draw('circle', { class: 'det-point', cx: this.x(point.fmr), cy: this.y(point.fnmr), r: 4 })),
      this.across, this.mark,
      label(WIDTH / 2 + AREA.left / 2, HEIGHT - 10, 'middle', t('det.x'), 'det-title'),
      upright(18, (HEIGHT - AREA.bottom) / 2, t('det.y')),
    );
  }

  /** Marks where a threshold lies. @param {{fmr: number, fnmr: number}} cost */
  at({ fmr, fnmr }) {
    const [x, y] = [this.x(fmr), this.y(fnmr)];
    this.mark.setAttribute('cx', x);
    this.mark.setAttribute('cy', y);
    this.across.setAttribute('d', `M${AREA.left} ${y}H${x}V${HEIGHT - AREA.bottom}`);
  }

  columns(points) {
    return points.map(({ fmr }) => draw(
      'g', {},
      draw('path', { class: 'det-grid', d: `M${this.x(fmr)} ${AREA.top}V${HEIGHT - AREA.bottom}` }),
      label(this.x(fmr), HEIGHT - AREA.bottom + 20, 'middle', t('det.one_in', { number: whole(1 / fmr) })),
    ));
  }

  rows(lowest, highest) {
    return RATES.filter((rate) => rate >= lowest * 0.95 && rate <= highest * 1.05).map((rate) => draw(
      'g', {},
      draw('path', { class: 'det-grid', d: `M${AREA.left} ${this.y(rate)}H${WIDTH - AREA.right}` }),
      label(AREA.left - 8, this.y(rate) + 4, 'end', percent(rate, 1)),
    ));
  }

  interval({ fmr, fnmr, fmr_interval: [left, right], fnmr_interval: [low, high] }) {
    const [x, y] = [this.x(fmr), this.y(fnmr)];
    return draw('path', { class: 'det-interval', d: `M${x} ${this.y(low)}V${this.y(high)}M${this.x(left)} ${y}H${this.x(right)}` });
  }
}

/** A logarithmic axis from one pixel to another, held within the picture. */
function scale(low, high, from, to) {
  const [a, b] = [Math.log(low), Math.log(high)];
  return (value) => {
    const share = (Math.log(value) - a) / (b - a || 1);
    return Math.round((from + Math.min(1.02, Math.max(-0.02, share)) * (to - from)) * 10) / 10;
  };
}

const label = (x, y, anchor, text, kind = 'det-label') => draw('text', { x, y, 'text-anchor': anchor, class: kind }, text);

const upright = (x, y, text) => draw('text', { 'text-anchor': 'middle', class: 'det-title', transform: `translate(${x} ${y}) rotate(-90)` }, text);

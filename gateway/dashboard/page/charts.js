/** @import { StatsSample } from '../stats-sampler.ts' */

import { byId, element, say } from './elements.js';
import uPlot from './uplot.js';
import { count, durationOfSeconds, rate } from './words.js';

/** Points that are shown: as many as the gateway keeps. */
const MOST = 900;
/** So that a gateway that has just begun does not show a single dot, seconds. */
const LEAST_SPAN = 120;
const HEIGHT = 168;
/** How far the marks of time may stand apart, seconds. */
const MINUTES = [60, 120, 180, 300];

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} colour the CSS variable that holds it
 * @property {(point: StatsSample) => number | null} of
 * @property {boolean} [filled]
 */

/**
 * @typedef {object} Wish
 * @property {string} id
 * @property {(value: number | null | undefined) => string} words
 * @property {(value: number) => string} [marks] the words of the axis, where they are others
 * @property {Line[]} lines
 */

/** @type {Wish[]} */
const wishes = [
  {
    id: 'chart-tokens',
    words: rate,
    marks: count,
    lines: [{ name: 'written', colour: '--first', of: ({ tokens }) => tokens, filled: true }],
  },
  {
    id: 'chart-first-token',
    words: durationOfSeconds,
    lines: [
      { name: 'median', colour: '--first', of: ({ firstTokenP50 }) => firstTokenP50 },
      { name: '95 %', colour: '--second', of: ({ firstTokenP95 }) => firstTokenP95 },
    ],
  },
  {
    id: 'chart-wait',
    words: durationOfSeconds,
    lines: [
      { name: 'median', colour: '--first', of: ({ waitP50 }) => waitP50 },
      { name: '95 %', colour: '--second', of: ({ waitP95 }) => waitP95 },
    ],
  },
  {
    id: 'chart-line',
    words: (value) => (value == null ? '–' : count(value)),
    lines: [
      { name: 'running', colour: '--first', of: ({ running }) => running, filled: true },
      { name: 'waiting', colour: '--second', of: ({ waiting }) => waiting },
    ],
  },
];

/** The charts of the last fifteen minutes. */
export class Charts {
  /** @type {StatsSample[]} */
  #points = [];
  #charts = wishes.map((wish) => new Chart(wish));

  constructor() {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', () => this.#redraw());
    new ResizeObserver(() => {
      for (const chart of this.#charts) chart.fit();
    }).observe(byId('main'));
  }

  /** @param {StatsSample[]} points all that there are */
  begin(points) {
    this.#points = points;
    this.#show();
  }

  /** @param {StatsSample} point the newest */
  add(point) {
    if (point.at <= (this.#points.at(-1)?.at ?? 0)) return;
    this.#points.push(point);
    if (this.#points.length > MOST) this.#points.shift();
    this.#show();
  }

  #show() {
    for (const chart of this.#charts) chart.show(this.#points);
  }

  #redraw() {
    for (const chart of this.#charts) chart.draw();
    this.#show();
  }
}

class Chart {
  /** @type {Wish} */
  #wish;
  /** @type {HTMLElement} */
  #plotPlace;
  /** @type {HTMLElement[]} */
  #values = [];
  /** @type {uPlot | undefined} */
  #plot;

  /** @param {Wish} wish */
  constructor(wish) {
    this.#wish = wish;
    const figure = byId(wish.id);
    this.#plotPlace = /** @type {HTMLElement} */ (figure.querySelector('.plot'));
    const legend = /** @type {HTMLElement} */ (figure.querySelector('.legend'));
    for (const line of wish.lines) {
      const value = element('b', '', '–');
      const swatch = element('i', `swatch${line.colour}`);
      legend.append(element('span', '', swatch, `${line.name} `, value));
      this.#values.push(value);
    }
    this.draw();
  }

  draw() {
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(), [[]], this.#plotPlace);
  }

  fit() {
    const width = this.#plotPlace.clientWidth;
    if (this.#plot && width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT });
  }

  /** @param {StatsSample[]} points */
  show(points) {
    const { lines } = this.#wish;
    const columns = lines.map(({ of }) => points.map(of));
    this.#plot?.setData([points.map(({ at }) => at / 1000), ...columns]);
    this.#tell(points.length - 1);
  }

  /** @param {number} index of the point whose values stand in the legend */
  #tell(index) {
    const { lines, words } = this.#wish;
    const data = this.#plot?.data ?? [];
    const texts = lines.map((_, line) => words(data[line + 1]?.[index]));
    texts.forEach((text, line) => {
      const value = this.#values[line];
      if (value) say(value, text);
    });
    const title = this.#plotPlace.parentElement?.querySelector('.title')?.textContent ?? '';
    const told = lines.map(({ name }, line) => `${name} ${texts[line]}`).join(', ');
    this.#plotPlace.setAttribute('aria-label', `${title}: ${told}`);
  }

  /** @returns {uPlot.Options} */
  #options() {
    const { lines, words, marks = words } = this.#wish;
    const style = getComputedStyle(document.body);
    /** @param {string} name */
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--muted'),
      font: `11px ${style.fontFamily}`,
      ticks: { show: false },
      grid: { stroke: colour('--rule'), width: 1 },
    };
    return {
      width: Math.max(this.#plotPlace.clientWidth, 200),
      height: HEIGHT,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'all' }, y: false, points: { size: 6 }, drag: { x: false, y: false } },
      scales: {
        x: { range: (_, from, to) => [Math.min(from, to - LEAST_SPAN), to] },
        y: { range: (_, __, most) => [0, Math.max(most * 1.15, 0.001)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 28,
          space: 70,
          incrs: MINUTES,
          values: (_, at) => at.map(hourAndMinute),
        },
        {
          ...axis,
          size: 56,
          gap: 6,
          space: 36,
          values: (_, values) => values.map((value) => (value === 0 ? '0' : marks(value))),
        },
      ],
      series: [
        {},
        ...lines.map((line) => ({
          stroke: colour(line.colour),
          width: 1.75,
          points: { show: false },
          ...(line.filled && { fill: colour(`${line.colour}-soft`) }),
        })),
      ],
      hooks: {
        setCursor: [
          (plot) => {
            const last = (plot.data[0]?.length ?? 0) - 1;
            this.#tell(plot.cursor.idx ?? last);
          },
        ],
      },
    };
  }
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** @param {number} at seconds since 1970 */
const hourAndMinute = (at) => clock.format(at * 1000);

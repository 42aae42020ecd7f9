/** @import { StatsSample } from '../stats-sampler.ts' */

import { byId, element, setText } from './elements.js';
import { formatCount, formatRate, formatSeconds } from './format.js';
import uPlot from './uplot.js';

/** As many samples as the gateway keeps. */
const MAX_SAMPLES = 900;
/** Seconds, so that a chart does not show a single dot after the gateway has started. */
const MIN_SPAN = 120;
const HEIGHT = 168;
/** Intervals of the time axis, seconds. */
const TIME_INTERVALS = [60, 120, 180, 300];

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} colour the CSS variable with the colour
 * @property {(sample: StatsSample) => number | null} pick
 * @property {boolean} [filled]
 */

/**
 * @typedef {object} ChartOptions
 * @property {string} id
 * @property {(value: number | null | undefined) => string} format
 * @property {(value: number) => string} [formatAxis] for the axis, if different
 * @property {Line[]} lines
 */

/** @type {ChartOptions[]} */
const chartOptions = [
  {
    id: 'chart-tokens',
    format: formatRate,
    formatAxis: formatCount,
    lines: [{ name: 'generated', colour: '--first', pick: ({ tokens }) => tokens, filled: true }],
  },
  {
    id: 'chart-first-token',
    format: formatSeconds,
    lines: [
      { name: 'median', colour: '--first', pick: ({ firstTokenP50 }) => firstTokenP50 },
      { name: '95th percentile', colour: '--second', pick: ({ firstTokenP95 }) => firstTokenP95 },
    ],
  },
  {
    id: 'chart-wait',
    format: formatSeconds,
    lines: [
      { name: 'median', colour: '--first', pick: ({ waitP50 }) => waitP50 },
      { name: '95th percentile', colour: '--second', pick: ({ waitP95 }) => waitP95 },
    ],
  },
  {
    id: 'chart-queue',
    format: (value) => (value == null ? '–' : formatCount(value)),
    lines: [
      { name: 'running', colour: '--first', pick: ({ running }) => running, filled: true },
      { name: 'waiting', colour: '--second', pick: ({ waiting }) => waiting },
    ],
  },
];

/** The charts of the last fifteen minutes. */
export class Charts {
  /** @type {StatsSample[]} */
  #samples = [];
  #charts = chartOptions.map((options) => new Chart(options));

  constructor() {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', () => this.#redraw());
    new ResizeObserver(() => {
      for (const chart of this.#charts) chart.fit();
    }).observe(byId('main'));
  }

  /** @param {StatsSample[]} samples */
  setSamples(samples) {
    this.#samples = samples;
    this.#show();
  }

  /** @param {StatsSample} sample the newest */
  add(sample) {
    if (sample.at <= (this.#samples.at(-1)?.at ?? 0)) return;
    this.#samples.push(sample);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    this.#show();
  }

  #show() {
    for (const chart of this.#charts) chart.show(this.#samples);
  }

  #redraw() {
    for (const chart of this.#charts) chart.draw();
    this.#show();
  }
}

class Chart {
  /** @type {ChartOptions} */
  #options;
  /** @type {HTMLElement} */
  #plotContainer;
  /** @type {HTMLElement[]} */
  #values = [];
  /** @type {uPlot | undefined} */
  #plot;

  /** @param {ChartOptions} options */
  constructor(options) {
    this.#options = options;
    const figure = byId(options.id);
    this.#plotContainer = /** @type {HTMLElement} */ (figure.querySelector('.plot'));
    const legend = /** @type {HTMLElement} */ (figure.querySelector('.legend'));
    for (const line of options.lines) {
      const value = element('b', '', '–');
      const swatch = element('i', `swatch${line.colour}`);
      legend.append(element('span', '', swatch, `${line.name} `, value));
      this.#values.push(value);
    }
    this.draw();
  }

  draw() {
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#createPlotOptions(), [[]], this.#plotContainer);
  }

  fit() {
    const width = this.#plotContainer.clientWidth;
    if (this.#plot && width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT });
  }

  /** @param {StatsSample[]} samples */
  show(samples) {
    const { lines } = this.#options;
    const columns = lines.map(({ pick }) => samples.map(pick));
    this.#plot?.setData([samples.map(({ at }) => at / 1000), ...columns]);
    this.#showLegend(samples.length - 1);
  }

  /** @param {number} index of the sample shown in the legend */
  #showLegend(index) {
    const { lines, format } = this.#options;
    const data = this.#plot?.data ?? [];
    const texts = lines.map((_, line) => format(data[line + 1]?.[index]));
    texts.forEach((text, line) => {
      const value = this.#values[line];
      if (value) setText(value, text);
    });
    const title = this.#plotContainer.parentElement?.querySelector('.title')?.textContent ?? '';
    const values = lines.map(({ name }, line) => `${name} ${texts[line]}`).join(', ');
    this.#plotContainer.setAttribute('aria-label', `${title}: ${values}`);
  }

  /** @returns {uPlot.Options} */
  #createPlotOptions() {
    const { lines, format, formatAxis = format } = this.#options;
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
      width: Math.max(this.#plotContainer.clientWidth, 200),
      height: HEIGHT,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'all' }, y: false, points: { size: 6 }, drag: { x: false, y: false } },
      scales: {
        x: { range: (_, from, to) => [Math.min(from, to - MIN_SPAN), to] },
        y: { range: (_, __, most) => [0, Math.max(most * 1.15, 0.001)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 28,
          space: 70,
          incrs: TIME_INTERVALS,
          values: (_, at) => at.map(hourAndMinute),
        },
        {
          ...axis,
          size: 56,
          gap: 6,
          space: 36,
          values: (_, values) => values.map((value) => (value === 0 ? '0' : formatAxis(value))),
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
            this.#showLegend(plot.cursor.idx ?? last);
          },
        ],
      },
    };
  }
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** @param {number} at seconds since 1970 */
const hourAndMinute = (at) => clock.format(at * 1000);

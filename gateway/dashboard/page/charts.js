/**
 * @import { LastCrash } from '../dashboard.ts'
 * @import { StatsSample } from '../stats-sampler.ts'
 */

import { byId, element, setText } from './elements.js';
import { formatCount, formatRate, formatRoundSeconds, formatSeconds } from './format.js';
import { durationIntervals, rollingMeans, rollingSums, roundIntervals } from './series.js';
import uPlot from './uplot.js';

/** As many samples as the gateway keeps. */
const MAX_SAMPLES = 900;
/** Seconds, so that a chart does not show a single dot after the gateway has started. */
const MIN_SPAN = 120;
const HEIGHT = 168;
/** Intervals of the time axis, seconds. */
const TIME_INTERVALS = [60, 120, 180, 300];

/** Values of single seconds flicker, also under constant load. */
const MEAN_SECONDS = 5;

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} colour the CSS variable with the colour
 * @property {(samples: StatsSample[]) => (number | null)[]} read
 * @property {boolean} [filled]
 */

/**
 * @typedef {object} ChartOptions
 * @property {string} id
 * @property {(value: number | null | undefined) => string} format
 * @property {(value: number) => string} formatAxis
 * @property {number[]} intervals of the axis
 * @property {number} minimum the least that the top of the axis stands for
 * @property {Line[]} lines
 */

/** @param {(sample: StatsSample) => number} pick */
const mean = (pick) => (/** @type {StatsSample[]} */ samples) => rollingMeans(samples, pick, MEAN_SECONDS);

/** @param {(sample: StatsSample) => number} pick */
const perMinute = (pick) => (/** @type {StatsSample[]} */ samples) => rollingSums(samples, pick, 60);

const counts = { formatAxis: formatCount, intervals: roundIntervals(1) };
const durations = {
  ...{ format: formatSeconds, formatAxis: formatRoundSeconds },
  ...{ intervals: durationIntervals, minimum: 0.1 },
};

/**
 * @param {(sample: StatsSample) => number | null} median
 * @param {(sample: StatsSample) => number | null} p95
 * @returns {Line[]}
 */
const quantiles = (median, p95) => [
  { name: 'median', colour: '--first', read: (samples) => samples.map(median) },
  { name: 'p95', colour: '--second', read: (samples) => samples.map(p95) },
];

/** @type {ChartOptions[]} */
const chartOptions = [
  {
    ...{ id: 'chart-tokens', ...counts, minimum: 10, format: formatRate },
    lines: [{ name: 'generated', colour: '--first', read: mean(({ tokens }) => tokens), filled: true }],
  },
  {
    ...{ id: 'chart-queue', ...counts, minimum: 4, format: formatRate },
    lines: [
      { name: 'running', colour: '--first', read: mean(({ running }) => running), filled: true },
      { name: 'waiting', colour: '--second', read: mean(({ waiting }) => waiting) },
    ],
  },
  {
    ...{ id: 'chart-wait', ...durations },
    lines: quantiles(
      ({ waitP50 }) => waitP50,
      ({ waitP95 }) => waitP95,
    ),
  },
  {
    ...{ id: 'chart-prompt', ...durations },
    lines: quantiles(
      ({ promptP50 }) => promptP50,
      ({ promptP95 }) => promptP95,
    ),
  },
  {
    ...{ id: 'chart-requests', ...counts, minimum: 10, format: formatRate },
    lines: [
      { name: 'finished', colour: '--first', read: perMinute(({ requests }) => requests), filled: true },
      { name: 'errors', colour: '--bad', read: perMinute(({ errors }) => errors) },
    ],
  },
];

/** The charts of the last fifteen minutes. */
export class Charts {
  /** @type {StatsSample[]} */
  #samples = [];
  /** @type {LastCrash['crashes']} */
  #crashes = [];
  #charts = chartOptions.map((options) => new Chart(options, () => this.#crashes));

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

  /** @param {LastCrash['crashes']} crashes to be marked in the charts */
  setCrashes(crashes) {
    this.#crashes = crashes;
    this.#show();
  }

  /** The newest value of the chart. */
  get tokensPerSecond() {
    return mean(({ tokens }) => tokens)(this.#samples.slice(-MEAN_SECONDS)).at(-1) ?? 0;
  }

  /**
   * Of the requests that finished in the last `seconds`.
   * @param {number} seconds
   */
  countFinished(seconds) {
    const last = (/** @type {(sample: StatsSample) => number} */ pick) =>
      rollingSums(this.#samples, pick, seconds).at(-1) ?? 0;
    return { requests: last(({ requests }) => requests), errors: last(({ errors }) => errors) };
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

  /** @type {() => LastCrash['crashes']} */
  #getCrashes;

  /**
   * @param {ChartOptions} options
   * @param {() => LastCrash['crashes']} getCrashes
   */
  constructor(options, getCrashes) {
    this.#options = options;
    this.#getCrashes = getCrashes;
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
    const columns = lines.map(({ read }) => read(samples));
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
    const { lines, formatAxis, intervals, minimum } = this.#options;
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
        y: { range: (_, __, most) => [0, Math.max(most * 1.15, minimum)] },
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
          incrs: intervals,
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
        draw: [(plot) => drawCrashes(plot, this.#getCrashes(), colour('--bad'))],
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

/**
 * A dashed line where a process crashed.
 * @param {uPlot} plot
 * @param {LastCrash['crashes']} crashes
 * @param {string} colour
 */
function drawCrashes({ ctx, bbox, scales, valToPos }, crashes, colour) {
  const { min = null, max = null } = scales.x ?? {};
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at } of crashes) {
    if (min === null || max === null || at / 1000 < min || at / 1000 > max) continue;
    const x = Math.round(valToPos(at / 1000, 'x', true));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

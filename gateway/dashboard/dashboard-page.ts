import { html } from 'hono/html';
import { pageLayout } from './page-layout.ts';

export interface DashboardPageOptions {
  /** Of the assets. */
  readonly version: string;
  /** Whose session it is; undefined where authentication is off. */
  readonly keyId: string | undefined;
}

/** The frame of the dashboard; page/dashboard.js fills it. */
export function dashboardPage({ version, keyId }: DashboardPageOptions) {
  return pageLayout({
    title: 'Dashboard · llama-corral',
    version,
    script: 'dashboard.js',
    styles: ['uplot.css'],
    body: html`<body data-version="${version}">
    <header class="top">
      <p class="wordmark"><a href="./">llama-corral</a></p>
      <p class="standing" id="standing"><span class="dot" aria-hidden="true"></span><span id="standing-text">…</span></p>
      <p class="model" id="model"></p>
      <nav aria-label="Pages">
        <a href="docs">API reference</a>
        ${keyId === undefined ? html`<span class="who">open to all</span>` : logOutOf(keyId)}
      </nav>
    </header>
    <p class="connection" id="connection" role="status" hidden></p>
    <main id="main" aria-busy="true">
      <h1 class="unseen">Dashboard</h1>
      <ul class="problems" id="problems" aria-label="To be mended" hidden></ul>
      ${glance}
      ${charts}
      <div class="columns">${slots}${gpus}</div>
      ${requests}
      ${keys}
      <div class="columns">${boot}${crash}</div>
      <footer id="footer"></footer>
    </main>
    <noscript><p class="problem">This page needs JavaScript.</p></noscript>
  </body>`,
  });
}

const logOutOf = (keyId: string) =>
  html`<span class="who">${keyId}</span><button type="button" class="quiet" id="log-out">Log out</button>`;

const tile = (id: string, title: string) => html`<div class="tile">
        <dt>${title}</dt>
        <dd><span class="value" id="${id}">–</span><span class="aside" id="${id}-aside"></span></dd>
      </div>`;

const glance = html`<section aria-labelledby="glance-title">
        <h2 class="unseen" id="glance-title">At a glance</h2>
        <dl class="tiles">
          ${tile('tokens', 'Tokens a second')}
          ${tile('first-token', 'First token')}
          ${tile('running', 'Running')}
          ${tile('waiting', 'Waiting')}
          ${tile('money', 'Cost of a million tokens')}
        </dl>
      </section>`;

const chart = (id: string, title: string) => html`<figure class="card chart" id="${id}">
          <figcaption><span class="title">${title}</span><span class="legend"></span></figcaption>
          <div class="plot" role="img" aria-label="${title}"></div>
        </figure>`;

const charts = html`<section aria-labelledby="charts-title">
        <h2 class="unseen" id="charts-title">The last fifteen minutes</h2>
        <div class="charts">
          ${chart('chart-tokens', 'Tokens a second')}
          ${chart('chart-first-token', 'Time to first token')}
          ${chart('chart-wait', 'Wait in line')}
          ${chart('chart-line', 'Running and waiting')}
        </div>
      </section>`;

const slots = html`<section class="card" aria-labelledby="slots-title">
        <h2 id="slots-title">Slots and lanes</h2>
        <div id="slots" class="slots" role="img" aria-label="Slots"></div>
        <ul id="lanes" class="lanes"></ul>
        <p class="empty" id="lanes-empty">Nobody is being served, and nobody waits.</p>
      </section>`;

const gpus = html`<section class="card" aria-labelledby="gpu-title">
        <h2 id="gpu-title">GPU</h2>
        <div id="gpus" class="gpus"></div>
        <p class="empty" id="gpus-empty">No GPU is seen on this machine.</p>
      </section>`;

/** Wide tables scroll in a frame of their own, which a keyboard can reach. */
const table = (id: string, title: string, columns: readonly string[], empty: string) => html`
        <div class="scroll" role="group" aria-label="${title}" tabindex="0">
          <table id="${id}">
            <thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
            <tbody></tbody>
          </table>
        </div>
        <p class="empty" id="${id}-empty">${empty}</p>`;

const openColumns = ['Request', 'Key', 'Path', 'State', 'Age', 'Tokens', 'Tokens/s', 'Cancel'];
const recentColumns = [
  'Ended',
  'Request',
  'Key',
  'Path',
  'Outcome',
  'Waited',
  'First token',
  'Took',
  'In',
  'Out',
];
const keyColumns = ['Key', 'Requests', 'Errors', 'Tokens', 'Budget', 'Cost', 'Now, per million'];

const requests = html`<section class="card" aria-labelledby="open-title">
        <h2 id="open-title">Under way</h2>
        ${table('open', 'Requests under way', openColumns, 'No request is under way.')}
      </section>
      <section class="card" aria-labelledby="recent-title">
        <h2 id="recent-title">Recent requests</h2>
        ${table('recent', 'Recent requests', recentColumns, 'No request has come yet since the gateway began.')}
      </section>`;

const keys = html`<section class="card" aria-labelledby="keys-title">
        <h2 id="keys-title">Keys today</h2>
        ${table('keys', 'Keys today', keyColumns, 'No key has been used today.')}
      </section>`;

const boot = html`<section class="card" aria-labelledby="boot-title">
        <h2 id="boot-title">Boot</h2>
        <ol id="boot" class="boot"></ol>
        <p class="empty" id="boot-empty">The gateway runs alone: llama-server was started by someone else.</p>
        <dl id="engine" class="facts"></dl>
      </section>`;

const crash = html`<section class="card" aria-labelledby="crash-title">
        <h2 id="crash-title">Last crash</h2>
        <div id="crash" hidden>
          <p id="crash-what"></p>
          <p id="crash-cure"></p>
          <details>
            <summary>Its last lines</summary>
            <pre id="crash-lines" tabindex="0" aria-label="Last lines"></pre>
          </details>
        </div>
        <p class="empty" id="crash-empty">None on record.</p>
      </section>`;

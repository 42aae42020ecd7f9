import { html } from 'hono/html';
import { pageLayout } from './pages.ts';

export interface DashboardPageOptions {
  /** The version of the assets. */
  readonly version: string;
  readonly hasChat: boolean;
  /** The key of the session; undefined if authentication is off. */
  readonly keyId: string | undefined;
}

/** The static part of the dashboard; page/dashboard.js fills it. */
export function dashboardPage({ version, hasChat, keyId }: DashboardPageOptions) {
  return pageLayout({
    title: 'Dashboard · llama-corral',
    version,
    script: 'dashboard.js',
    styles: ['uplot.css'],
    body: html`<body data-version="${version}">
    <header class="top">
      <p class="wordmark"><a href="./">llama-corral</a></p>
      <p class="status" id="status"><span class="dot" aria-hidden="true"></span><span id="status-text">…</span></p>
      <p class="model" id="model"></p>
      <a class="crash-news" id="crash-news" href="#crash-title" hidden></a>
      <nav aria-label="Pages">
        ${hasChat ? html`<a href="chat">Chat</a>` : ''}
        <a href="docs">API reference</a>
        ${keyId === undefined ? html`<span class="who">no authentication</span>` : logOutButton(keyId)}
      </nav>
    </header>
    <p class="connection" id="connection" role="status" hidden></p>
    <main id="main" aria-busy="true">
      <h1 class="unseen">Dashboard</h1>
      <ul class="problems" id="problems" aria-label="Problems" hidden></ul>
      ${overview}
      ${charts}
      ${models}
      ${batches}
      <div class="columns">${slots}${gpus}</div>
      ${requests}
      ${keys}
      <div class="columns">${boot}${crash}</div>
      <footer id="footer"></footer>
    </main>
    <noscript><p class="problem">This page requires JavaScript.</p></noscript>
  </body>`,
  });
}

const logOutButton = (keyId: string) =>
  html`<span class="who">Key: ${keyId}</span><button type="button" class="quiet" id="log-out">Log out</button>`;

const tile = (id: string, title: string) => html`<div class="tile" id="${id}-tile">
        <dt>${title}</dt>
        <dd><span class="value" id="${id}">–</span><span class="aside" id="${id}-aside"></span></dd>
      </div>`;

const overview = html`<section aria-labelledby="overview-title">
        <h2 class="unseen" id="overview-title">Overview</h2>
        <dl class="tiles">
          ${tile('tokens', 'Tokens per second')}
          ${tile('first-token', 'Time to first token')}
          ${tile('running', 'Running')}
          ${tile('waiting', 'Waiting')}
          ${tile('errors', 'Errors')}
          ${tile('money', 'Cost per million tokens')}
        </dl>
      </section>`;

const chart = (id: string, title: string) => html`<figure class="card chart" id="${id}">
          <figcaption><span class="title">${title}</span><span class="legend"></span></figcaption>
          <div class="plot" role="img" aria-label="${title}"></div>
        </figure>`;

const charts = html`<section aria-labelledby="charts-title">
        <h2 class="unseen" id="charts-title">Last 15 minutes</h2>
        <div class="charts">
          ${chart('chart-tokens', 'Tokens per second')}
          ${chart('chart-queue', 'Running and waiting, mean of 5 s')}
          ${chart('chart-wait', 'Queue time')}
          ${chart('chart-prompt', 'Prompt processing')}
          ${chart('chart-requests', 'Requests per minute')}
        </div>
      </section>`;

const slots = html`<section class="card" aria-labelledby="slots-title">
        <h2 id="slots-title">Slots and lanes</h2>
        <div id="slots" class="slots" role="img" aria-label="Slots"></div>
        <ul id="lanes" class="lanes"></ul>
        <p class="empty" id="lanes-empty">No requests are running or waiting.</p>
      </section>`;

const gpus = html`<section class="card" id="gpu-card" hidden aria-labelledby="gpu-title">
        <h2 id="gpu-title">GPU</h2>
        <div id="gpus" class="gpus"></div>
        <p class="empty" id="gpus-empty"></p>
      </section>`;

/** Wide tables scroll in their own container, which can be reached by keyboard. */
const table = (id: string, title: string, columns: readonly string[], empty: string) => html`
        <div class="scroll" role="group" aria-label="${title}" tabindex="0">
          <table id="${id}">
            <thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
            <tbody></tbody>
          </table>
        </div>
        <p class="empty" id="${id}-empty">${empty}</p>`;

const modelColumns = ['Model', 'Kind', 'Status', 'Memory', 'Slots', 'Waiting', 'Tokens/s', 'Pin', 'Action'];

const modelCostColumns = ['Model', 'Cost since the start', 'Cost per million, now', 'J per token, now'];

/** Shown only with several models. */
const models = html`<section class="card" id="models-card" aria-labelledby="models-title" hidden>
        <h2 id="models-title">Models</h2>
        <p class="hint" id="models-memory"></p>
        <p class="problem" id="models-message" role="alert" hidden></p>
        ${table('models', 'Models', modelColumns, 'models.json lists no models.')}
        <div id="model-costs-part" hidden>
          <h3>Cost by model</h3>
          ${table('model-costs', 'Cost by model', modelCostColumns, 'No model has answered since the gateway started.')}
        </div>
        <h3>Aliases</h3>
        ${table('aliases', 'Aliases', ['Alias', 'Models', 'Action'], 'There are no aliases.')}
      </section>`;

const batchColumns = ['Batch', 'Status', 'Done', 'Failed', 'Output tokens', 'Key', 'Model'];

/** Shown only with a store. */
const batches = html`<section class="card" id="batches-card" aria-labelledby="batches-title" hidden>
        <h2 id="batches-title">Batches</h2>
        <p class="hint" id="batches-store"></p>
        <p class="problem" id="batches-message" role="alert" hidden></p>
        ${table('batches', 'Batches', batchColumns, 'No batches are waiting or running.')}
      </section>`;

const openColumns = ['Request', 'Key', 'Path', 'State', 'Age', 'Tokens', 'Tokens/s', 'Cancel'];
const recentColumns = [
  'Ended',
  'Request',
  'Key',
  'Path',
  'Outcome',
  'Queue time',
  'First token',
  'Duration',
  'Input',
  'Output',
];
const keyColumns = [
  'Key',
  'Requests',
  'Errors',
  'Tokens',
  'Budget',
  'Last used',
  'Cost',
  'Cost per million, now',
];

const requests = html`<section class="card" aria-labelledby="open-title">
        <h2 id="open-title">In progress</h2>
        ${table('open', 'Requests in progress', openColumns, 'No requests in progress.')}
      </section>
      <section class="card" aria-labelledby="recent-title">
        <h2 id="recent-title">Recent requests</h2>
        ${table('recent', 'Recent requests', recentColumns, 'No requests since the gateway started.')}
      </section>`;

const keys = html`<section class="card" aria-labelledby="keys-title">
        <h2 id="keys-title">Key usage today</h2>
        <p class="hint" id="keys-shown"></p>
        ${table('keys', 'Key usage today', keyColumns, 'No keys have been used today.')}
      </section>`;

const boot = html`<section class="card" aria-labelledby="boot-title">
        <h2 id="boot-title">Startup</h2>
        <ol id="boot" class="boot"></ol>
        <p class="empty" id="boot-empty">This gateway runs without a supervisor, so startup times are unknown.</p>
        <dl id="engine" class="details"></dl>
      </section>`;

const crash = html`<section class="card" aria-labelledby="crash-title">
        <h2 id="crash-title">Last crash</h2>
        <div id="crash" hidden>
          <p id="crash-summary"></p>
          <p id="crash-hint"></p>
          <details>
            <summary>Last lines of output</summary>
            <pre id="crash-lines" tabindex="0" aria-label="Last lines of output"></pre>
          </details>
        </div>
        <p class="empty" id="crash-empty">No crashes on record.</p>
      </section>`;

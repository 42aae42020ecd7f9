import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { html } from 'hono/html';
import { createStaticFile, type StaticFile } from '../http/static-files.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const pageFolder = join(import.meta.dirname, 'page');
const uPlot = dirname(createRequire(import.meta.url).resolve('uplot'));

/** The path of each file by name; nothing else is served. */
const assetPaths: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['style.css', 'icon.svg', 'landing.js', 'login.js', 'dashboard.js', 'charts.js', 'tables.js'],
      ...['overview.js', 'format.js', 'engine.js', 'elements.js', 'models.js', 'confirm-button.js'],
      'batches.js',
    ].map((name) => [name, join(pageFolder, name)]),
  ),
  'uplot.js': join(uPlot, 'uPlot.esm.js'),
  'uplot.css': join(uPlot, 'uPlot.min.css'),
};

/** The files of the pages, read once. Their URLs contain the version, so browsers can cache them indefinitely. */
export class Assets {
  readonly #files: ReadonlyMap<string, StaticFile>;
  /** Changes whenever a file changes. */
  readonly version: string;

  constructor() {
    this.#files = new Map(Object.entries(assetPaths).map(([name, path]) => [name, readAsset(name, path)]));
    this.version = hash('sha256', [...this.#files.values()].map(({ etag }) => etag).join()).slice(0, 12);
  }

  find(name: string): StaticFile | undefined {
    return this.#files.get(name);
  }
}

function readAsset(name: string, path: string): StaticFile {
  return createStaticFile(readFileSync(path), contentTypes[extname(name)] ?? 'text/plain');
}

export interface PageLayoutOptions {
  readonly title: string;
  /** The version of the assets. */
  readonly version: string;
  readonly script: string;
  readonly styles?: readonly string[];
  readonly body: ReturnType<typeof html>;
}

/** A complete page. URLs are relative, so that it works behind a proxy that adds a path prefix. */
export function pageLayout({ title, version, script, styles = [], body }: PageLayoutOptions) {
  const asset = (name: string) => `dashboard/assets/${version}/${name}`;
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="robots" content="noindex">
    <title>${title}</title>
    <link rel="icon" href="${asset('icon.svg')}" type="image/svg+xml">
    ${[...styles, 'style.css'].map((name) => html`<link rel="stylesheet" href="${asset(name)}">`)}
    <script type="module" src="${asset(script)}"></script>
  </head>
  ${body}
</html>
`;
}

export function loginPage(version: string) {
  return pageLayout({
    title: 'Log in · llama-corral',
    version,
    script: 'login.js',
    body: html`<body class="narrow">
    <main class="card login">
      <p class="wordmark"><a href="./">llama-corral</a></p>
      <h1>Dashboard</h1>
      <p id="notice" role="status" hidden></p>
      <form id="login" method="post" action="dashboard/session">
        <label for="secret">API key with the <code>admin</code> scope</label>
        <input id="secret" type="password" autocomplete="current-password" spellcheck="false" required
          autofocus aria-describedby="problem">
        <p id="problem" class="problem" role="alert"></p>
        <button type="submit">Log in</button>
      </form>
      <p class="hint">Create one with <code>corral keys create ops --scopes admin</code>.</p>
      <noscript><p class="problem">This page requires JavaScript.</p></noscript>
    </main>
  </body>`,
  });
}

export interface LandingPageOptions {
  readonly version: string;
  /** Such as `https://box.example`. */
  readonly origin: string;
  /** The public name of the model; undefined before it is known. */
  readonly model: string | undefined;
  readonly status: string;
  readonly needsKey: boolean;
}

const statusTexts: Readonly<Record<string, string>> = {
  ready: 'Ready',
  starting: 'Starting. Requests wait until it is ready.',
  loading: 'Loading the model. Requests wait until it is ready.',
  restarting: 'Restarting the engine. Requests wait until it is ready.',
  draining: 'Shutting down. New requests are rejected.',
  failed: 'The engine has failed and will not restart by itself.',
};

/** For people who open the base URL in a browser. A script replaces `.origin` by the URL that the browser uses. */
export function landingPage({ version, origin, model = 'default', status, needsKey }: LandingPageOptions) {
  const base = html`<span class="origin">${origin}</span>/v1`;
  const key = needsKey ? 'YOUR_KEY' : 'none';
  return pageLayout({
    title: `${model} · llama-corral`,
    version,
    script: 'landing.js',
    body: html`<body class="narrow">
    <main class="landing">
      <header>
        <p class="wordmark">llama-corral</p>
        <h1>This is an API for <em>${model}</em></h1>
        <p class="lede">It is compatible with the APIs of OpenAI and Anthropic. Set the base URL below in your client${
          needsKey ? ' and add your API key' : ''
        }.</p>
        <p class="status" data-status="${status}"><span class="dot" aria-hidden="true"></span>${
          statusTexts[status] ?? status
        }</p>
      </header>
      <section aria-labelledby="base-title">
        <h2 id="base-title">Base URL</h2>
        <pre tabindex="0" aria-label="Base URL"><code>${base}</code></pre>
      </section>
      <section aria-labelledby="curl-title">
        <h2 id="curl-title">curl</h2>
        <pre tabindex="0" aria-label="Example with curl"><code>curl ${base}/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello"}]}'</code></pre>
      </section>
      <section aria-labelledby="python-title">
        <h2 id="python-title">OpenAI SDK</h2>
        <pre tabindex="0" aria-label="Example in Python"><code>from openai import OpenAI

client = OpenAI(base_url="${base}", api_key="${key}")
completion = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Hello"}],
)
print(completion.choices[0].message.content)</code></pre>
      </section>
      <nav aria-label="More">
        <a class="button" href="dashboard">Dashboard</a>
        <a class="button quiet" href="docs">API reference</a>
        <a class="button quiet" href="health">Status as JSON</a>
      </nav>
    </main>
  </body>`,
  });
}

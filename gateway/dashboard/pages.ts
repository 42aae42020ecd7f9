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
const require = createRequire(import.meta.url);
const uPlot = dirname(require.resolve('uplot'));
const marked = dirname(require.resolve('marked'));

/** The path of each file by name; nothing else is served. */
const assetPaths: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['style.css', 'icon.svg', 'landing.js', 'login.js', 'dashboard.js', 'charts.js', 'tables.js'],
      ...['overview.js', 'format.js', 'engine.js', 'elements.js', 'models.js', 'confirm-button.js'],
      ...['batches.js', 'copy-button.js', 'series.js'],
    ].map((name) => [name, join(pageFolder, name)]),
  ),
  'uplot.js': join(uPlot, 'uPlot.esm.js'),
  'uplot.css': join(uPlot, 'uPlot.min.css'),
};

/** The assets of the chat page. */
const chatAssetPaths: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['chat.css', 'chat.js', 'api.js', 'event-stream.js', 'conversation.js', 'turn.js', 'problem.js'],
      ...['message-view.js', 'markdown.js', 'code-block.js', 'settings.js', 'composer.js', 'thread.js'],
      ...['follow.js', 'model-list.js'],
    ].map((name) => [`chat/${name}`, join(pageFolder, 'chat', name)]),
  ),
  'marked.js': join(marked, 'marked.esm.js'),
};

/** The files of the pages, read once. Their URLs contain the version, so browsers can cache them indefinitely. */
export class Assets {
  readonly #files: ReadonlyMap<string, StaticFile>;
  /** Changes whenever a file changes. */
  readonly version: string;

  constructor(hasChat: boolean) {
    const paths = { ...assetPaths, ...(hasChat && chatAssetPaths) };
    this.#files = new Map(Object.entries(paths).map(([name, path]) => [name, readAsset(name, path)]));
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
  readonly hasChat: boolean;
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
export function landingPage(options: LandingPageOptions) {
  const { version, origin, model = 'default', status, needsKey, hasChat } = options;
  const url = html`<span class="origin">${origin}</span>`;
  const base = html`${url}/v1`;
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
      <nav aria-label="More">
        ${hasChat ? html`<a class="button" href="chat">Chat</a>` : ''}
        <a class="button${hasChat ? ' quiet' : ''}" href="dashboard">Dashboard</a>
        <a class="button quiet" href="docs">API reference</a>
        <a class="button quiet" href="health">Status as JSON</a>
      </nav>
      ${example('Base URL', html`${base}`)}
      ${example('curl', curlExample(base, key, model))}
      ${example('OpenAI SDK', openaiExample(base, key, model))}
      ${example('Anthropic SDK', anthropicExample(url, key, model))}
    </main>
  </body>`,
  });
}

type Html = ReturnType<typeof html>;

/** landing.js adds a button that copies it. */
function example(title: string, code: Html) {
  const id = title.toLowerCase().replaceAll(' ', '-');
  return html`<section class="example" aria-labelledby="${id}">
        <h2 id="${id}">${title}</h2>
        <pre tabindex="0" aria-label="${title}"><code>${code}</code></pre>
      </section>`;
}

const curlExample = (base: Html, key: string, model: string) => html`curl -N ${base}/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "stream": true,
       "messages": [{"role": "user", "content": "Hello"}]}'`;

const openaiExample = (base: Html, key: string, model: string) => html`from openai import OpenAI

client = OpenAI(base_url="${base}", api_key="${key}")
stream = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Hello"}],
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)`;

const anthropicExample = (url: Html, key: string, model: string) => html`from anthropic import Anthropic

client = Anthropic(base_url="${url}", api_key="${key}")
with client.messages.stream(
    model="${model}",
    max_tokens=1000,
    messages=[{"role": "user", "content": "Hello"}],
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)`;

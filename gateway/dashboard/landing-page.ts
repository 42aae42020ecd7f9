import { html } from 'hono/html';
import { pageLayout } from './page-layout.ts';

export interface LandingPageOptions {
  readonly version: string;
  /** Such as `https://box.example`. */
  readonly origin: string;
  /** The public name of the model; undefined before it is known. */
  readonly model: string | undefined;
  readonly standing: string;
  readonly needsKey: boolean;
}

const standingWords: Readonly<Record<string, string>> = {
  ready: 'Ready to answer',
  starting: 'Starting: requests wait until it is ready',
  loading: 'The model is loading: requests wait until it is ready',
  restarting: 'The engine restarts: requests wait until it is back',
  draining: 'Shutting down: nothing new is taken',
  failed: 'The engine has failed and does not come back by itself',
};

/** For people who open the base URL in a browser. `.origin` is put right by the browser, which knows it best. */
export function landingPage({ version, origin, model = 'default', standing, needsKey }: LandingPageOptions) {
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
        <p class="lede">It speaks as OpenAI's and Anthropic's APIs do. Point your client at the base URL below${
          needsKey ? ' and give it your key' : ''
        }.</p>
        <p class="standing" data-standing="${standing}"><span class="dot" aria-hidden="true"></span>${
          standingWords[standing] ?? standing
        }</p>
      </header>
      <section aria-labelledby="base-title">
        <h2 id="base-title">Base URL</h2>
        <pre tabindex="0" aria-label="Base URL"><code>${base}</code></pre>
      </section>
      <section aria-labelledby="curl-title">
        <h2 id="curl-title">With curl</h2>
        <pre tabindex="0" aria-label="Example with curl"><code>curl ${base}/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello"}]}'</code></pre>
      </section>
      <section aria-labelledby="python-title">
        <h2 id="python-title">With the OpenAI SDK</h2>
        <pre tabindex="0" aria-label="Example in Python"><code>from openai import OpenAI

client = OpenAI(base_url="${base}", api_key="${key}")
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)</code></pre>
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

import { html } from 'hono/html';
import { pageLayout } from './page-layout.ts';

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
        <label for="secret">API key with the scope <code>admin</code></label>
        <input id="secret" type="password" autocomplete="current-password" spellcheck="false" required
          autofocus aria-describedby="problem">
        <p id="problem" class="problem" role="alert"></p>
        <button type="submit">Log in</button>
      </form>
      <p class="hint">Make one with <code>corral keys create ops --scopes admin</code>.</p>
      <noscript><p class="problem">This page needs JavaScript.</p></noscript>
    </main>
  </body>`,
  });
}

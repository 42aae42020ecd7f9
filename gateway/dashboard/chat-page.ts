import { html } from 'hono/html';
import { pageLayout } from './pages.ts';

export interface ChatPageOptions {
  /** The version of the assets. */
  readonly version: string;
  readonly needsKey: boolean;
}

/** The static part of the chat page; page/chat/chat.js fills it. */
export function chatPage({ version, needsKey }: ChatPageOptions) {
  return pageLayout({
    title: 'Chat · llama-corral',
    version,
    script: 'chat/chat.js',
    styles: ['chat/chat.css'],
    body: html`<body class="chat-page" data-needs-key="${needsKey ? 'true' : 'false'}">
    <header class="top">
      <p class="wordmark"><a href="./">llama-corral</a></p>
      <select id="model" aria-label="Model" hidden></select>
      <nav aria-label="Chat">
        <button type="button" class="quiet" id="new-chat" hidden>New chat</button>
        <button type="button" class="quiet" id="open-settings" hidden>Settings</button>
        <button type="button" class="quiet" id="log-out" hidden>Log out</button>
      </nav>
    </header>
    <main>
      <h1 class="unseen">Chat</h1>
      ${loginCard}
      <div class="chat" id="chat" hidden>
        ${greeting}
        <div id="messages" role="log" aria-label="Conversation" aria-live="off"></div>
        <p class="unseen" role="status" id="announcement"></p>
        ${composer}
      </div>
    </main>
    ${settings}
    <noscript><p class="problem">This page requires JavaScript.</p></noscript>
  </body>`,
  });
}

const loginCard = html`<section class="card login" id="login-card" aria-labelledby="login-title" hidden>
        <h2 id="login-title">Chat</h2>
        <form id="login">
          <label for="secret">API key</label>
          <input id="secret" type="password" autocomplete="current-password" spellcheck="false" required
            aria-describedby="problem">
          <p id="problem" class="problem" role="alert"></p>
          <button type="submit">Continue</button>
        </form>
        <p class="hint">The key stays in this tab until you close it or log out. Messages count towards its limits. Create
          one with <code>corral keys create NAME</code>.</p>
      </section>`;

const suggestions = [
  'Write a haiku about a llama',
  'Explain recursion to a child',
  'Write a Python function that finds duplicates in a list',
];

const greeting = html`<section class="greeting" id="greeting" aria-labelledby="greeting-title">
          <h2 id="greeting-title">Chat with <em id="greeting-model">the model</em></h2>
          <p>The conversation stays in this tab and is gone when you close it.</p>
          <ul class="suggestions" id="suggestions">
            ${suggestions.map((text) => html`<li><button type="button" class="quiet">${text}</button></li>`)}
          </ul>
        </section>`;

const composer = html`<div class="composer-area">
          <p class="notice" role="status" id="models-notice"></p>
          <form id="composer">
            <textarea id="prompt" rows="1" aria-label="Message" placeholder="Message"></textarea>
            <button type="submit" id="send" disabled>Send</button>
            <button type="button" id="stop" class="quiet" hidden>Stop</button>
          </form>
          <p class="keys"><kbd>Enter</kbd> sends, <kbd>Shift</kbd> + <kbd>Enter</kbd> starts a new line, <kbd>Esc</kbd>
            stops.</p>
        </div>`;

const settings = html`<dialog id="settings" aria-labelledby="settings-title">
      <form method="dialog">
        <h2 id="settings-title">Settings</h2>
        <label for="system">System prompt</label>
        <textarea id="system" rows="5" placeholder="You are a helpful assistant."></textarea>
        <div class="pair">
          <div>
            <label for="temperature">Temperature</label>
            <input id="temperature" type="number" min="0" max="5" step="any" placeholder="default">
          </div>
          <div>
            <label for="maxTokens">Maximum tokens</label>
            <input id="maxTokens" type="number" min="1" step="1" placeholder="no limit">
          </div>
        </div>
        <p class="hint">They apply from the next message on.</p>
        <div class="actions">
          <button type="submit" class="quiet" value="cancel" formnovalidate>Cancel</button>
          <button type="submit" value="save">Save</button>
        </div>
      </form>
    </dialog>`;

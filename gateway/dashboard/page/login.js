import { byId, setText } from './elements.js';

const form = byId('login');
const secret = /** @type {HTMLInputElement} */ (byId('secret'));
const problem = byId('problem');

const notice = sessionStorage.getItem('notice');
if (notice !== null) {
  sessionStorage.removeItem('notice');
  setText(byId('notice'), notice);
  byId('notice').hidden = false;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  setText(problem, '');
  const response = await createSession(secret.value.trim());
  if (response?.status === 204) return location.reload();
  setText(problem, await getErrorText(response));
  secret.select();
});

/**
 * The key is sent in a header as everywhere else, never in a form body or a URL.
 * @param {string} key
 */
async function createSession(key) {
  try {
    return await fetch('dashboard/session', { method: 'POST', headers: { authorization: `Bearer ${key}` } });
  } catch {
    return undefined;
  }
}

/** @param {Response | undefined} response */
async function getErrorText(response) {
  if (response === undefined) return 'Cannot reach the gateway.';
  if (response.status === 401) return 'This key is unknown or no longer valid.';
  const body = await response.json().catch(() => undefined);
  return body?.error?.message ?? `The gateway responded with status ${response.status}.`;
}

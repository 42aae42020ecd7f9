import { byId, say } from './elements.js';

const form = byId('login');
const secret = /** @type {HTMLInputElement} */ (byId('secret'));
const problem = byId('problem');

const notice = sessionStorage.getItem('notice');
if (notice !== null) {
  sessionStorage.removeItem('notice');
  say(byId('notice'), notice);
  byId('notice').hidden = false;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  say(problem, '');
  const answer = await show(secret.value.trim());
  if (answer?.status === 204) return location.reload();
  say(problem, await complaintOf(answer));
  secret.select();
});

/**
 * The key travels in a header, as it does everywhere else: it never stands in a form's body or an address.
 * @param {string} key
 */
async function show(key) {
  try {
    return await fetch('dashboard/session', { method: 'POST', headers: { authorization: `Bearer ${key}` } });
  } catch {
    return undefined;
  }
}

/** @param {Response | undefined} answer */
async function complaintOf(answer) {
  if (answer === undefined) return 'The gateway does not answer.';
  if (answer.status === 401) return 'This key is not known, or no longer works.';
  const told = await answer.json().catch(() => undefined);
  return told?.error?.message ?? `The gateway answered ${answer.status}.`;
}

/** The chat page. Everything it asks of the server goes through the API, with the key that the user has entered. */
import { byId, setText } from '../elements.js';
import { listModels } from './api.js';
import { setUpComposer } from './composer.js';
import * as saved from './conversation.js';
import { fillModels, setUpModels } from './model-list.js';
import { describeProblem } from './problem.js';
import { setUpSettings } from './settings.js';
import { Thread } from './thread.js';

/** Before the list of models is requested again, ms. */
const RETRY_DELAY = 2000;

const secret = /** @type {HTMLInputElement} */ (byId('secret'));
const conversation = saved.loadConversation();
let needsKey = document.body.dataset.needsKey === 'true';
let key = saved.loadKey();
const thread = new Thread(conversation, {
  getKey: () => key,
  changeKey,
  // It may have loaded the model.
  onEnd: () => void showModels(),
});

byId('login').addEventListener('submit', logIn);
byId('log-out').addEventListener('click', logOut);
byId('new-chat').addEventListener('click', () => {
  thread.clear();
  byId('prompt').focus();
});
setUpComposer({ submit: (text) => thread.submit(text), stop: () => thread.stop() });
setUpSettings(conversation.settings, save);
setUpModels(conversation.settings, () => {
  thread.showGreeting();
  save();
});
addEventListener('pagehide', leave);
addEventListener('pageshow', ({ persisted }) => {
  // It is shown as it was when it was left (Back). Meanwhile the user may have logged out, or have gone on writing.
  if (persisted) startAnew();
});
enter();

/** Shows the chat if there is a key or none is needed, otherwise the login. */
function enter() {
  const isIn = key !== undefined || !needsKey;
  byId('login-card').hidden = isIn;
  for (const id of ['chat', 'model', 'new-chat', 'open-settings']) byId(id).hidden = !isIn;
  byId('log-out').hidden = !isIn || !needsKey;
  byId(isIn ? 'prompt' : 'secret').focus();
  if (isIn) void showModels();
}

/** @param {SubmitEvent} event */
async function logIn(event) {
  event.preventDefault();
  const entered = secret.value.trim();
  const problem = await tryKey(entered);
  setText(byId('problem'), problem ?? '');
  if (problem !== undefined) return secret.select();
  key = entered;
  saved.saveKey(entered);
  secret.value = '';
  enter();
}

/**
 * Returns undefined if the key may use the API, else why not.
 * @param {string} entered
 */
async function tryKey(entered) {
  if (!/^[\x21-\x7e]+$/.test(entered)) return 'A key has only letters, digits and signs, without spaces.';
  return listModels(entered).then(
    (models) => fillModels(models, conversation.settings),
    // A deployment that is starting knows no models yet.
    (error) => (error.code === 'model_loading' ? undefined : describeProblem(error).message),
  );
}

/** Tries until the list is there. */
async function showModels() {
  try {
    fillModels(await listModels(key), conversation.settings);
    thread.showGreeting();
    setText(byId('models-notice'), '');
  } catch (error) {
    const { message, needsKey: isInvalid } = describeProblem(error);
    if (isInvalid) return changeKey();
    setText(byId('models-notice'), message);
    setTimeout(showModels, RETRY_DELAY);
  }
}

/** The conversation stays. */
function changeKey() {
  saved.forgetKey();
  key = undefined;
  needsKey = true;
  enter();
}

function logOut() {
  thread.stop();
  saved.forgetAll();
  startAnew();
}

/** With what is saved. */
function startAnew() {
  removeEventListener('pagehide', leave);
  location.reload();
}

function leave() {
  thread.close();
}

function save() {
  saved.saveConversation(conversation);
}

import { byId } from '../elements.js';

/** @import { Settings } from './conversation.js' */

/** The fields of the dialog, by their ids. */
const fields = /** @type {const} */ (['system', 'temperature', 'maxTokens']);

/**
 * Opens the dialog with the settings of the conversation, and writes them into `settings` when it is closed.
 * @param {Settings} settings
 * @param {() => void} onChange
 */
export function setUpSettings(settings, onChange) {
  const dialog = /** @type {HTMLDialogElement} */ (byId('settings'));
  const field = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (byId(id));
  byId('open-settings').addEventListener('click', () => {
    for (const name of fields) field(name).value = settings[name];
    dialog.returnValue = '';
    dialog.showModal();
  });
  dialog.addEventListener('close', () => {
    if (dialog.returnValue !== 'save') return;
    for (const name of fields) settings[name] = field(name).value;
    onChange();
  });
}

import { byId, element } from '../elements.js';

/** @import { Model } from './api.js' */
/** @import { Settings } from './conversation.js' */

const list = /** @type {HTMLSelectElement} */ (byId('model'));

/**
 * @param {Settings} settings
 * @param {() => void} onChange
 */
export function setUpModels(settings, onChange) {
  list.addEventListener('change', () => {
    settings.model = list.value;
    onChange();
  });
}

/**
 * Keeps the choice if the model is still there.
 * @param {readonly Model[]} models
 * @param {Settings} settings
 */
export function fillModels(models, settings) {
  list.replaceChildren(...models.map(createOption));
  if (models.some(({ id }) => id === settings.model)) list.value = settings.model;
  else settings.model = list.value;
  list.disabled = models.length < 2;
  byId('send').toggleAttribute('disabled', models.length === 0);
}

/** @param {Model} model */
function createOption({ id, status = 'loaded' }) {
  const text = status === 'loaded' ? id : `${id} (${status})`;
  const option = /** @type {HTMLOptionElement} */ (element('option', '', text));
  option.value = id;
  return option;
}

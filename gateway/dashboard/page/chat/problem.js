import { ApiProblem } from './api.js';

/**
 * What went wrong, as it is shown and saved.
 * @typedef {object} Problem
 * @property {string} message
 * @property {string | undefined} [code]
 * @property {string} [hint] how to go on
 * @property {boolean} [needsKey] whether only another key helps
 */

/** @type {Readonly<Record<string, string>>} */
const hints = {
  context_length_exceeded: 'Start a new chat, or send a shorter message.',
  insufficient_quota: 'Use another key, or wait until the budget is renewed.',
  model_not_allowed: 'Choose another model, or use another key.',
  model_not_found: 'Choose another model.',
  model_failed: 'Choose another model, or ask the operator of this server.',
};

/**
 * @param {unknown} error
 * @returns {Problem}
 */
export function describeProblem(error) {
  if (!(error instanceof ApiProblem)) return { message: `This page has failed: ${error}` };
  const { message, code, status, retryAfter } = error;
  if (status === 401) return { message: 'This key is unknown or no longer valid.', code, needsKey: true };
  const wait = retryAfter === undefined ? undefined : `Try again in ${retryAfter} s.`;
  const hint = (code !== undefined && hints[code]) || wait;
  return { message, ...(code !== undefined && { code }), ...(hint !== undefined && { hint }) };
}

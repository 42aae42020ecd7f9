import { expect, it } from 'vitest';
import { modelNotFound } from '../errors/catalogue.ts';
import { type FailedRequest, renderError } from './error-response.ts';

const error = modelNotFound('other');

function render(request: FailedRequest | undefined) {
  const { status, headers, body } = renderError(error, 'id-1', request);
  expect(status).toBe(404);
  expect(headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    'x-request-id': 'id-1',
  });
  return { headers, json: JSON.parse(body.toString()) };
}

it.each([
  ['of an OpenAI route', { path: '/v1/chat/completions', headers: {} }],
  ['that is unknown', undefined],
])('renders the error of a request %s in the format of OpenAI', (_, request) => {
  const { headers, json } = render(request);
  expect(json.error).toMatchObject({ code: 'model_not_found', message: error.message });
  expect(headers).not.toHaveProperty('request-id');
});

it("renders the error of a request of Anthropic's API in its format, with the id under both names", () => {
  const { headers, json } = render({ path: '/v1/messages', headers: {} });
  expect(json).toMatchObject({ type: 'error', error: { message: error.message }, request_id: 'id-1' });
  expect(headers).toMatchObject({ 'request-id': 'id-1' });
});

import { expect, it } from 'vitest';
import { suggestPath } from './unknown-routes.ts';

it.each([
  ['/v1/v1/messages', 'Did you mean /v1/messages? The client adds /v1 itself: remove it from the base URL.'],
  ['/v1/v1/messages/count_tokens', 'Did you mean /v1/messages/count_tokens? The client adds'],
  ['/v1/v1/models', 'Did you mean /v1/models? The client'],
  ['/v1/v1/files', 'Did you mean /v1/files? The client'],
  ['/openai/batches', 'Did you mean /v1/batches?'],
  ['/v1/v1/conversations', 'Did you mean /v1/conversations? The client'],
  ['/messages/batches', 'Did you mean /v1/messages/batches?'],
  ['/v1/v1/messages/batches', 'Did you mean /v1/messages/batches? The client'],
  [
    '/openai/deployments/gpt-4o/chat/completions',
    'Did you mean /v1/chat/completions? Deployments are not supported',
  ],
  ['/openai/deployments/gpt-4o/embeddings', 'Did you mean /v1/embeddings? Deployments are'],
  ['/openai/v1/responses', 'Did you mean /v1/responses?'],
  ['/v1/engines/demo/completions', 'Did you mean /v1/completions?'],
  ['/messages', 'Did you mean /v1/messages?'],
  ['/v1/chat/completions/', 'Did you mean /v1/chat/completions?'],
  ['//v1/chat/completions', 'Did you mean /v1/chat/completions?'],
  ['/v1/chat/completions/chat/completions', 'Did you mean /v1/chat/completions?'],
  ['/V1/Chat/Completions', 'Did you mean /v1/chat/completions?'],
  ['/v1/tokenize', 'Did you mean /tokenize?'],
])('%s is recognised as a mistyped path', (path, hint) => {
  expect(suggestPath(path)).toMatch(new RegExp(`^${RegExp.escape(hint)}`));
});

it.each([
  '/',
  '/v1',
  '/v1/',
  '/props',
  '/slots',
  '/v1/images/generations',
  '/api/tags',
  '/xmessages',
  '/v1/audio/speech',
])('%s resembles no path', (path) => expect(suggestPath(path)).toBeUndefined());

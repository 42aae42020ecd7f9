import { expect, it } from 'vitest';
import { suggestPath } from './suggest-path.ts';

it.each([
  [
    '/v1/v1/messages',
    'Did you mean /v1/messages? This client adds /v1 by itself: leave it out of its base URL.',
  ],
  ['/v1/v1/messages/count_tokens', 'Did you mean /v1/messages/count_tokens? This client adds'],
  ['/v1/v1/models', 'Did you mean /v1/models? This client'],
  [
    '/openai/deployments/gpt-4o/chat/completions',
    'Did you mean /v1/chat/completions? There are no deployments here',
  ],
  ['/openai/deployments/gpt-4o/embeddings', 'Did you mean /v1/embeddings? There are'],
  ['/openai/v1/responses', 'Did you mean /v1/responses?'],
  ['/v1/engines/demo/completions', 'Did you mean /v1/completions?'],
  ['/messages', 'Did you mean /v1/messages?'],
  ['/v1/chat/completions/', 'Did you mean /v1/chat/completions?'],
  ['//v1/chat/completions', 'Did you mean /v1/chat/completions?'],
  ['/v1/chat/completions/chat/completions', 'Did you mean /v1/chat/completions?'],
  ['/V1/Chat/Completions', 'Did you mean /v1/chat/completions?'],
  ['/v1/tokenize', 'Did you mean /tokenize?'],
])('%s is most likely a slip', (path, hint) => {
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
])('%s is none of ours by any name', (path) => expect(suggestPath(path)).toBeUndefined());

import { describe, expect, it } from 'vitest';
import { getOperation, routeLabel } from './route-table.ts';

describe('the label of a route', () => {
  it.each([
    ['/v1/chat/completions', '/v1/chat/completions'],
    ['/chat/completions', '/v1/chat/completions'],
    ['/models', '/v1/models'],
    ['/models/:id{.+}', '/v1/models/:id'],
    ['/files/:id/content', '/v1/files/:id/content'],
    ['/v1/batches/:id/cancel', '/v1/batches/:id/cancel'],
    ['/admin/requests/:id{.+}', '/admin/requests/:id'],
    ['/metrics', '/metrics'],
    ['/*', 'other'],
    ['*', 'other'],
    ['', 'other'],
  ])('of %s is %s', (pattern, label) => expect(routeLabel(pattern)).toBe(label));
});

it('maps a route to its operation', () => {
  expect(getOperation(routeLabel('/responses'))).toBe('chat');
  expect(getOperation(routeLabel('/infill'))).toBe('text_completion');
  expect(getOperation(routeLabel('/v1/chat/completions/input_tokens'))).toBeUndefined();
  expect(getOperation('other')).toBeUndefined();
});

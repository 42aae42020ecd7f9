import { expect, it } from 'vitest';
import { stripComments } from './event-stream-relay.ts';

const event = 'data: {"content":": a\\n\\n: data: null"}\n\n';

it.each([
  ['an event', event, event],
  ['a ping', ':\n\n', ''],
  ['several pings', ':\n\n:\n\n', ''],
  ['a ping before an event', `:\n\n${event}`, event],
  ['a ping between two events', `${event}: ping\n\n${event}`, event + event],
  ['a ping after an event', `${event}:\n\n`, event],
  ['an empty event', 'data: null\n\n', ''],
  ['an empty event before another', `data: null\n\n${event}`, event],
  ['a named event', `event: a\n${event}`, `event: a\n${event}`],
])('stripComments handles %s', (_, given, expected) => {
  expect(stripComments(Buffer.from(given)).toString()).toBe(expected);
});

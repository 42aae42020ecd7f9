import { expect, it } from 'vitest';
import { failedEvents, readEvent, readResponse } from './response-event.ts';

const block = (type: string, rest = '') =>
  `event: ${type}\ndata: {"type":"${type}"${rest},"sequence_number":12}`;

it('reads the number, and whether it is the last event', () => {
  const delta = block('response.output_text.delta', ',"delta":"event: response.completed\\n"');
  expect(readEvent(delta)).toEqual({ sequence: 12, text: `${delta}\n\n`, isLast: false });
  for (const status of ['completed', 'incomplete', 'failed']) {
    const last = readEvent(`${block(`response.${status}`, `,"response":{"status":"${status}"}`)}\n\n`);
    expect(last).toMatchObject({ sequence: 12, isLast: true });
    expect(last && readResponse(last)).toEqual({ status });
  }
});

it('leaves out what is no event of a response', () => {
  for (const other of [
    ': comment',
    block('error'),
    'data: {"sequence_number":1}',
    'event: response.x\ndata: {}',
  ])
    expect(readEvent(other)).toBeUndefined();
});

it('events of its own read like the others, and announce the response if nothing did', () => {
  const response = { status: 'failed', error: { code: 'x' } };
  const [created, failed] = failedEvents(response, 3, false);
  expect(readEvent(created?.text ?? '')).toEqual(created);
  expect(created).toMatchObject({ sequence: 3, isLast: false });
  expect(readEvent(failed?.text ?? '')).toEqual(failed);
  expect(failed).toMatchObject({ sequence: 4, isLast: true });
  expect(failedEvents(response, 4, true)).toEqual([failed]);
});

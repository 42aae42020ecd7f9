import { describe, expect, it } from 'vitest';
import { EventLines } from './event-lines.ts';

const stream = Buffer.from(': hello\n\ndata: {"a":"é"}\n\nevent: x\r\ndata:{"b":2}\r\n\r\ndata: [DONE]\n\n');
const events = ['{"a":"é"}', '{"b":2}', '[DONE]'];

describe('EventLines', () => {
  it('finds the data of every event, wherever the stream is cut', () => {
    for (let size = 1; size <= stream.length; size++) {
      const lines = new EventLines();
      const found: string[] = [];
      for (let from = 0; from < stream.length; from += size)
        found.push(...lines.read(stream.subarray(from, from + size)));
      expect(found).toEqual(events);
    }
  });

  it('gives an event no sooner than its line is whole', () => {
    const lines = new EventLines();
    expect(lines.read(Buffer.from('data: on'))).toEqual([]);
    expect(lines.read(Buffer.from('e\n'))).toEqual(['one']);
  });
});

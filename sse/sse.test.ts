import { describe, expect, it } from 'vitest';
import {
  DataLineReader,
  EventSplitter,
  findEventEnd,
  formatComment,
  formatEvent,
  getEventData,
  mapEventData,
  mapEvents,
  parseEvents,
  splitEvents,
} from './sse.ts';

const stream = Buffer.from(': hello\n\ndata: {"a":"é"}\n\nevent: x\ndata: {"b":2}\n\ndata: [DONE]\n\n');

/** A linear congruential generator: the same numbers in every run. */
function seededRandom(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('formatEvent', () => {
  it('writes objects as JSON and text unchanged, with a name if one is given', () => {
    expect(formatEvent({ a: 1 })).toBe('data: {"a":1}\n\n');
    expect(formatEvent({ a: 1 }, 'x')).toBe('event: x\ndata: {"a":1}\n\n');
    expect(formatEvent('[DONE]')).toBe('data: [DONE]\n\n');
    expect(formatComment('queued 1 of 2')).toBe(': queued 1 of 2\n\n');
  });
});

describe('EventSplitter', () => {
  it('returns complete events only, wherever the stream is cut', () => {
    for (let size = 1; size <= stream.length; size++) {
      const splitter = new EventSplitter();
      const pieces: Buffer[] = [];
      for (let from = 0; from < stream.length; from += size) {
        const piece = splitter.push(stream.subarray(from, from + size));
        if (piece) pieces.push(piece);
      }
      for (const piece of pieces) expect(piece.toString().endsWith('\n\n')).toBe(true);
      expect(Buffer.concat(pieces)).toEqual(stream);
      expect(splitter.rest).toBeUndefined();
    }
  });

  it('finds the same ends as a search in all bytes, whatever the line ends are', () => {
    const random = seededRandom(1);
    const parts = ['\n', '\n\n', '\r\n\r\n', 'data: é', ': ping\n\n', 'data: a\ndata: b\n\n'];
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(Array.from({ length: 12 }, () => parts[random(parts.length)]).join(''));
      const splitter = new EventSplitter();
      let [from, passed] = [0, 0];
      while (from < bytes.length) {
        const to = Math.min(from + 1 + random(round % 2 === 0 ? 1 : 9), bytes.length);
        const piece = splitter.push(bytes.subarray(from, to));
        const last = bytes.subarray(passed, to).lastIndexOf('\n\n');
        const expected = last === -1 ? undefined : bytes.subarray(passed, passed + last + 2).toString();
        expect(piece?.toString()).toBe(expected);
        passed += piece?.length ?? 0;
        expect(splitter.rest?.toString() ?? '').toBe(bytes.subarray(passed, to).toString());
        from = to;
      }
    }
  });

  it('keeps the start of an event until its end arrives', () => {
    const splitter = new EventSplitter();
    expect(splitter.push(Buffer.from('data: 1\n\ndata: '))?.toString()).toBe('data: 1\n\n');
    expect(splitter.rest?.toString()).toBe('data: ');
    expect(splitter.push(Buffer.from('2\n\n'))?.toString()).toBe('data: 2\n\n');
    splitter.push(Buffer.from('data: 3'));
    splitter.clear();
    expect(splitter.rest).toBeUndefined();
  });
});

describe('mapEvents', () => {
  it('replaces each event by one event, several, or none', () => {
    const map = (event: string) => (event.startsWith(':') ? undefined : event.toUpperCase());
    expect(mapEvents(Buffer.from(': a\n\ndata: b\n\n'), map).toString()).toBe('DATA: B\n\n');
    expect(mapEvents(Buffer.from(': a\n\n'), map).toString()).toBe('');
    const twice = (event: string) => (event === '' ? event : [event, event]);
    expect(mapEvents(Buffer.from('data: b\n\n'), twice).toString()).toBe('data: b\n\ndata: b\n\n');
  });

  it('mapEventData sees the JSON objects and passes all other events', () => {
    const map = ({ a }: { readonly a?: unknown }) => (a === undefined ? undefined : { a, more: true });
    expect(mapEventData(stream, map).toString()).toBe(
      ': hello\n\ndata: {"a":"é","more":true}\n\ndata: [DONE]\n\n',
    );
  });
});

describe('parseEvents', () => {
  it('reads the events of a text, in which U+2028 is not the end of a line', () => {
    const text = 'a\u2028b';
    expect(parseEvents(`event: x\ndata: ${JSON.stringify({ text })}\n\ndata: [DONE]\n\n`)).toEqual([
      { text },
    ]);
  });

  it('getEventData finds the data of named and unnamed events, and none in a comment', () => {
    expect(splitEvents(stream.toString()).map(getEventData)).toEqual([
      undefined,
      '{"a":"é"}',
      '{"b":2}',
      '[DONE]',
      undefined,
    ]);
  });

  it('findEventEnd finds where the event with a given byte ends', () => {
    expect(findEventEnd(Buffer.from('data: 1\n\ndata: 2'), 3)).toBe(9);
    expect(findEventEnd(Buffer.from('data: 1\n\ndata: 2'), 9)).toBe(-1);
  });
});

describe('DataLineReader', () => {
  const mixed = Buffer.from(': hello\n\ndata: {"a":"é"}\n\nevent: x\r\ndata:{"b":2}\r\n\r\ndata: [DONE]\n\n');

  it('finds the data of every event, wherever the stream is cut', () => {
    for (let size = 1; size <= mixed.length; size++) {
      const lines = new DataLineReader();
      const found: string[] = [];
      for (let from = 0; from < mixed.length; from += size)
        found.push(...lines.read(mixed.subarray(from, from + size)));
      expect(found).toEqual(['{"a":"é"}', '{"b":2}', '[DONE]']);
    }
  });

  it('returns a line as soon as it is complete, and no sooner', () => {
    const lines = new DataLineReader();
    expect(lines.read(Buffer.from('data: on'))).toEqual([]);
    expect(lines.read(Buffer.from('e\n'))).toEqual(['one']);
  });
});

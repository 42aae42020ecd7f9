import { expect, it } from 'vitest';
import { createRequestRecord, type RequestRecord } from '../proxy/request-record.ts';
import type { UsageEntry } from './usage-batch.ts';
import { UsageRecorder } from './usage-recorder.ts';

const recordWith = (more: Partial<RequestRecord>): RequestRecord => ({
  ...createRequestRecord({ id: '1', method: 'POST', path: '/v1/completions', address: '' }),
  keyId: 'key',
  usage: { input: 100, cached: 0, output: 5 },
  ...more,
});

function open() {
  const booked: UsageEntry['usage'][] = [];
  const books = new UsageRecorder(({ usage }) => void booked.push(usage));
  return { books, booked };
}

it('books what is known at the end, and what is found out later as a correction of it', async () => {
  const { books, booked } = open();
  const { promise: correction, resolve } = Promise.withResolvers<number>();
  books.begin()(recordWith({ usageCorrection: correction }), false);
  expect(booked).toMatchObject([{ requests: 1, input: 100, output: 5 }]);
  let isSettled = false;
  const settled = books.settled(3_600_000).then(() => {
    isSettled = true;
  });
  await Promise.resolve();
  expect(isSettled).toBe(false);
  resolve(-93);
  await settled;
  expect(booked[1]).toMatchObject({ requests: 0, errors: 0, input: -93, output: 0, computeMs: 0 });
});

it('books no correction of what was right, and waits for none of what is nobody’s', async () => {
  const { books, booked } = open();
  books.begin()(recordWith({ usageCorrection: Promise.resolve(0) }), false);
  const { keyId: _, ...nobodys } = recordWith({ usageCorrection: new Promise(() => {}) });
  books.begin()(nobodys, false);
  await books.settled(3_600_000);
  expect(booked).toHaveLength(1);
});

it('is settled though what it books into fails', async () => {
  const books = new UsageRecorder(() => {
    throw new Error('no room');
  });
  expect(() => books.begin()(recordWith({}), false)).toThrow('no room');
  await books.settled(3_600_000);
});

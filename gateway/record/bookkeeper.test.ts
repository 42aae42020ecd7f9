import { expect, it } from 'vitest';
import type { Booking } from '../ledger/usage-batch.ts';
import { Bookkeeper } from './bookkeeper.ts';
import { openRecord, type RequestRecord } from './request-record.ts';

const recordWith = (more: Partial<RequestRecord>): RequestRecord => ({
  ...openRecord({ id: '1', method: 'POST', path: '/v1/completions', address: '' }),
  keyId: 'key',
  usage: { input: 100, cached: 0, output: 5 },
  ...more,
});

function open() {
  const booked: Booking['usage'][] = [];
  const books = new Bookkeeper(({ usage }) => void booked.push(usage));
  return { books, booked };
}

it('books what is known at the end, and what is found out later as a correction of it', async () => {
  const { books, booked } = open();
  const { promise: correction, resolve } = Promise.withResolvers<number>();
  books.expect()(recordWith({ correction }), false);
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
  books.expect()(recordWith({ correction: Promise.resolve(0) }), false);
  const { keyId: _, ...nobodys } = recordWith({ correction: new Promise(() => {}) });
  books.expect()(nobodys, false);
  await books.settled(3_600_000);
  expect(booked).toHaveLength(1);
});

it('is settled though what it books into fails', async () => {
  const books = new Bookkeeper(() => {
    throw new Error('no room');
  });
  expect(() => books.expect()(recordWith({}), false)).toThrow('no room');
  await books.settled(3_600_000);
});

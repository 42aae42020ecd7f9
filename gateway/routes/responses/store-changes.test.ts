import { expect, it } from 'vitest';
import { StoreError, StoreUnavailable } from '../../../store/errors.ts';
import type { Store } from '../../../store/store.ts';
import { StoreChanges } from './store-changes.ts';

const forever = new AbortController().signal;

/** A store with this version; one without a version cannot be read. */
const changesOf = (state: { version: number | Error }) =>
  new StoreChanges((): Store => {
    if (state.version instanceof Error) throw state.version;
    return { dataVersion: state.version } as Store;
  });

it('notifies those who wait of a change, and of the end of their time', async () => {
  const state = { version: 1 };
  const changes = changesOf(state);
  await changes.next(0, forever);
  const order: string[] = [];
  const changed = changes.next(0, forever).then(() => order.push('changed'));
  await changes.next(1, forever).then(() => order.push('late'));
  state.version = 2;
  await changed;
  expect(order).toEqual(['late', 'changed']);
});

it.each([
  new StoreUnavailable('io-error', new Error('EIO')),
  new StoreError('the database of the store is damaged'),
])('those who wait find out themselves that the store cannot be read: %s', async (error) => {
  await changesOf({ version: error }).next(0, forever);
});

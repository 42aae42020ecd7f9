import { test } from 'vitest';
import { KeyRing } from './key-ring.ts';
import { showKeysJson } from './keys-json.ts';
import { newKey } from './new-key.ts';
import { readKeys } from './read-keys.ts';

const minted = Array.from({ length: 10_000 }, (_, n) => newKey(`key-${n}`, {}, Date.now()));
const text = showKeysJson({ keys: minted.map(({ key }) => key), further: {} });
const ring = new KeyRing(readKeys(text).keys);
let turn = 0;

test('ten thousand keys are read and made a ring in under 300 ms', async ({ bench }) => {
  await bench('load', () => {
    new KeyRing(readKeys(text).keys);
  }).run();
});

test('a secret is looked up among ten thousand keys in under 20 µs', async ({ bench }) => {
  const known = bench('known', () => {
    ring.authenticate(minted[turn++ % minted.length]?.secret ?? '', Date.now());
  });
  const unknown = bench('unknown', () => {
    ring.authenticate(`sk-unknown-${turn++}`, Date.now());
  });
  await bench.compare(known, unknown);
});

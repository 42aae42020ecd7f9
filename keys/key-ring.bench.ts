import { test } from 'vitest';
import { KeyRing } from './key-ring.ts';
import { formatKeysJson, parseKeysJson } from './keys-json.ts';
import { createKey } from './secret.ts';

const minted = Array.from({ length: 10_000 }, (_, n) => createKey(`key-${n}`, {}, Date.now()));
const text = formatKeysJson({ keys: minted.map(({ key }) => key), extraFields: {} });
const ring = new KeyRing(parseKeysJson(text).keys);
let turn = 0;

test('ten thousand keys are parsed into a ring in under 300 ms', async ({ bench }) => {
  await bench('load', () => {
    new KeyRing(parseKeysJson(text).keys);
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

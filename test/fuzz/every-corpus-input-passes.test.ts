import { expect, it } from 'vitest';
import { readCorpus } from './corpus.ts';
import { targets } from './targets.ts';

it.each(targets)('every input in the corpus of $name passes', async (target) => {
  await using subject = await target.open();
  const inputs = [...target.seeds.map((seed) => Buffer.from(seed)), ...readCorpus(target.name)];
  const { together = 1 } = target;
  for (let at = 0; at < inputs.length; at += together) {
    await Promise.all(inputs.slice(at, at + together).map((input) => subject.try(input)));
  }
  await subject.check?.();
  expect(inputs.length).toBeGreaterThan(0);
});

import { describe, expect, it } from 'vitest';
import { addKey, changeKey, findKey, removeKey, rotateKey } from './change-keys.ts';
import { createKey } from './secret.ts';

const now = Date.UTC(2027, 0, 1);
const [app, batch] = [createKey('app', {}, now).key, createKey('batch', {}, now).key];
const keys = [app, batch];

describe('changing keys', () => {
  it('adds a key with a new id and rejects an id that exists', () => {
    const more = createKey('more', {}, now).key;
    expect(addKey(keys, more)).toEqual([app, batch, more]);
    expect(() => addKey(keys, createKey('app', {}, now).key)).toThrow('corral keys rotate app');
  });

  it('changes or removes only the named key', () => {
    expect(changeKey(keys, 'batch', (key) => ({ ...key, note: 'x' }))).toEqual([
      app,
      { ...batch, note: 'x' },
    ]);
    expect(removeKey(keys, 'app')).toEqual([batch]);
  });

  it.each([
    ['bach', keys, 'did you mean "batch"?'],
    ['something-else', keys, '"corral keys list" lists'],
    ['app', [], '"corral keys create app"'],
  ])('suggests how to continue for the unknown id %s', (id, there, hint) => {
    expect(() => findKey(there, id)).toThrow(hint);
  });
});

describe('rotateKey', () => {
  const minted = createKey('app', {}, now + 1).key;

  it('sets the new secret, keeps everything else, and keeps the old secret valid for the overlap', () => {
    const limited = { ...app, limits: { concurrent: 2 }, note: 'x' };
    const { fingerprint, hint } = minted;
    const previous = { fingerprint: app.fingerprint, validUntil: now + 1000 };
    expect(rotateKey(limited, minted, 1000, now)).toEqual({
      ...limited,
      fingerprint,
      hint,
      created: now + 1,
      previous,
    });
  });

  it('marks the old secret to be cut off, until the next rotation', () => {
    const rotated = rotateKey(app, minted, 'cutOff', now);
    expect(rotated).toMatchObject({ cutOff: true, disabled: false, previous: null });
    expect(rotateKey(rotated, minted, 0, now).cutOff).toBe(false);
    expect(rotateKey({ ...app, disabled: true, cutOff: true }, minted, 0, now).cutOff).toBe(true);
  });

  it('invalidates the old secret at once without an overlap', () => {
    const rotated = rotateKey(rotateKey(app, minted, 1000, now), createKey('app', {}, now).key, 0, now);
    expect(rotated.previous).toBeNull();
  });
});

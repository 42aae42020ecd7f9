import { describe, expect, it } from 'vitest';
import { isCrossSite, isSameOrigin } from './same-origin.ts';

describe.each([
  ['same-origin', { 'sec-fetch-site': 'same-origin' }, true, false],
  ['cross-site', { 'sec-fetch-site': 'cross-site', origin: 'http://box:8000' }, false, true],
  ['none, which an address typed by hand is', { 'sec-fetch-site': 'none' }, false, false],
  ['our origin', { origin: 'http://box:8000' }, true, false],
  ['another port', { origin: 'http://box:9000' }, false, true],
  ['null', { origin: 'null' }, false, true],
  ['nothing', {}, false, false],
] as const)('a browser that says %s', (_, headers, isOurs, isOthers) => {
  it(`is ${isOurs ? '' : 'not '}known to show a page of ours`, () => {
    expect(isSameOrigin(headers, 'box:8000')).toBe(isOurs);
  });

  it(`is ${isOthers ? '' : 'not '}known to show another's`, () => {
    expect(isCrossSite(headers, 'box:8000')).toBe(isOthers);
  });
});

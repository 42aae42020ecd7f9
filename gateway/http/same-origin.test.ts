import { describe, expect, it } from 'vitest';
import { isCrossSite, isSameOrigin } from './same-origin.ts';

describe.each([
  ['same-origin', { 'sec-fetch-site': 'same-origin' }, true, false],
  ['cross-site', { 'sec-fetch-site': 'cross-site', origin: 'http://box:8000' }, false, true],
  ['none (a URL typed by hand)', { 'sec-fetch-site': 'none' }, false, false],
  ['the same origin as Origin', { origin: 'http://box:8000' }, true, false],
  ['another port', { origin: 'http://box:9000' }, false, true],
  ['null', { origin: 'null' }, false, true],
  ['neither header', {}, false, false],
] as const)('a request with %s', (_, headers, same, cross) => {
  it(`is ${same ? '' : 'not '}known to be from the same origin`, () => {
    expect(isSameOrigin(headers, 'box:8000')).toBe(same);
  });

  it(`is ${cross ? '' : 'not '}known to be from another site`, () => {
    expect(isCrossSite(headers, 'box:8000')).toBe(cross);
  });
});

import { describe, expect, it } from 'vitest';
import { origins } from '../../settings/kinds.ts';
import { createOriginMatcher } from './cors.ts';

describe('createOriginMatcher', () => {
  it.each([
    ['https://Upper.Example', ['https://upper.example', 'https://UPPER.example'], ['http://upper.example']],
    ['https://a.example/', ['https://a.example'], ['https://a.example:8443', 'https://a.example.evil']],
    ['https://a.example:443', ['https://a.example'], ['https://a.example:8443']],
    [
      'http://localhost:*',
      ['http://localhost', 'http://localhost:3000', 'http://localhost:65535'],
      [
        'https://localhost:3000',
        'http://localhost.evil:3000',
        'http://localhost:3000.evil',
        'http://localhost:',
      ],
    ],
    [
      'https://*.sub.example',
      ['https://a.sub.example', 'https://a.b.sub.example'],
      [
        'https://sub.example',
        'https://xsub.example',
        'https://a.sub.example:8443',
        'https://evil/.sub.example',
      ],
    ],
    [
      'https://app-*.pages.dev',
      ['https://app-12.pages.dev'],
      ['https://app-a.b.pages.dev', 'https://app-.pages.dev'],
    ],
    ['chrome-extension://*', ['chrome-extension://abcdef'], ['moz-extension://abcdef', 'https://abcdef']],
    ['https://*', ['https://a', 'https://a.b', 'https://[::1]'], ['https://a:1', 'http://a', 'https://a/b']],
    ['http://[::1]:*', ['http://[::1]:80', 'http://[::1]'], ['http://[::2]:80']],
    ['https://a.example,null', ['null', 'https://a.example'], ['NULL.example']],
    ['https://axexample', ['https://axexample'], ['https://a.example']],
  ])('%s', (text, matching, others) => {
    const isAllowed = createOriginMatcher(origins.parse(text) ?? []);
    for (const origin of matching) expect([origin, isAllowed(origin)]).toEqual([origin, true]);
    for (const origin of others) expect([origin, isAllowed(origin)]).toEqual([origin, false]);
  });

  it('matches nothing if no origin is listed, and no origin that is longer than any host name', () => {
    expect(createOriginMatcher([])('https://a')).toBe(false);
    expect(createOriginMatcher(['https://*.a'])(`https://${'a'.repeat(400)}.a`)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import {
  autoOr,
  choice,
  decimal,
  duration,
  flag,
  huggingFaceRepo,
  integer,
  type Kind,
  list,
  networks,
  port,
  size,
  timespan,
  url,
  urlPath,
} from './kinds.ts';

const cases: [name: string, kind: Kind<unknown>, good: [string, unknown][], bad: string[]][] = [
  [
    'decimal',
    decimal,
    [
      ['0', 0],
      ['2', 2],
      ['0.79', 0.79],
    ],
    ['', '-1', '.5', '1,5', '1e3', '2 EUR', '9'.repeat(400)],
  ],
  [
    'flag',
    flag,
    [
      ['true', true],
      ['1', true],
      ['YES', true],
      ['On', true],
      ['false', false],
      ['0', false],
      ['no', false],
      ['OFF', false],
    ],
    ['', 'y', 'enabled', '2', 'true ', 'nope'],
  ],
  [
    'integer',
    integer(1, 9),
    [
      ['1', 1],
      ['9', 9],
      ['007', 7],
    ],
    ['0', '10', '-1', '1.5', '1e1', 'x', '', '0x1'],
  ],
  [
    'integer without a ceiling',
    integer(0),
    [['9007199254740991', 9007199254740991]],
    ['9007199254740992', '9'.repeat(40)],
  ],
  [
    'port',
    port,
    [
      ['0', 0],
      ['65535', 65535],
    ],
    ['65536', '-1', 'http'],
  ],
  [
    'autoOr',
    autoOr(integer(1)),
    [
      ['AUTO', 'auto'],
      ['4', 4],
    ],
    ['automatic', '0', ''],
  ],
  ['timespan', timespan, [['90d', 7_776_000_000]], ['', 'd', '5 m']],
  [
    'duration',
    duration,
    [
      ['90', 90_000],
      ['90s', 90_000],
      ['5m', 300_000],
      ['2h', 7_200_000],
      ['1d', 86_400_000],
      ['24d', 2_073_600_000],
      ['250ms', 250],
      ['1.5s', 1500],
      ['0', 0],
      ['5M', 300_000],
    ],
    ['', '-5', '5 m', '5min', 's', '1h30m', 'Infinity', '25d', '9'.repeat(400)],
  ],
  [
    'size',
    size,
    [
      ['10485760', 10_485_760],
      ['10MiB', 10_485_760],
      ['10 mib', 10_485_760],
      ['1KB', 1000],
      ['1.5GiB', 1_610_612_736],
      ['7B', 7],
    ],
    ['', '10M', '-1', '1TiB', 'iB', '5ib', '9007199254740993', '9'.repeat(400)],
  ],
  [
    'list',
    list,
    [
      ['a, b ,,c', ['a', 'b', 'c']],
      ['', []],
      [',', []],
    ],
    [],
  ],
  [
    'choice',
    choice('auto', 'on'),
    [
      ['ON', 'on'],
      ['auto', 'auto'],
    ],
    ['off', '', 'on '],
  ],
  [
    'url',
    url('http', 'unix'),
    [
      ['http://a:1', 'http://a:1'],
      ['unix:/a.sock', 'unix:/a.sock'],
    ],
    ['https://a', 'a:1', '/a.sock', ''],
  ],
  [
    'networks',
    networks,
    [
      ['10.0.0.1', ['10.0.0.1']],
      ['10.0.0.0/8, fd00::/8,::1', ['10.0.0.0/8', 'fd00::/8', '::1']],
      ['', []],
    ],
    [
      'proxy',
      '10.0.0.0/33',
      '10.0.0/8',
      '::/129',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      '10.0.0.0/-1',
      '10.0.0.1;10.0.0.2',
    ],
  ],
  [
    'urlPath',
    urlPath,
    [
      ['/ping', '/ping'],
      ['/', '/'],
    ],
    ['ping', '/a b', '/a?b', '/a#b', ''],
  ],
  [
    'huggingFaceRepo',
    huggingFaceRepo,
    [
      ['ggml-org/gemma-3-4b-it-GGUF', 'ggml-org/gemma-3-4b-it-GGUF'],
      ['u_1/r.2:Q4_K_M', 'u_1/r.2:Q4_K_M'],
    ],
    ['repo', 'a/b/c', '../etc', 'a/..', '/a/b', 'https://h/a/b', 'a/b:', 'a/b c', 'a /b', '-/\0'],
  ],
];

describe.each(cases)('%s', (_, kind, good, bad) => {
  it('reads what fits', () => {
    for (const [text, value] of good) expect([text, kind.parse(text)]).toEqual([text, value]);
  });

  it('takes nothing else', () => {
    for (const text of bad) expect([text, kind.parse(text)]).toEqual([text, undefined]);
    expect(kind.expected).toMatch(/\S/);
  });

  it('reads back what it shows', () => {
    for (const [, value] of good) expect(kind.parse(kind.show(value))).toEqual(value);
  });
});

import { describe, expect, it } from 'vitest';
import {
  autoOr,
  backendUrl,
  choice,
  decimal,
  duration,
  durationFrom,
  durationFromOrOff,
  flag,
  fraction,
  headerText,
  huggingFaceRepo,
  integer,
  issuerUrl,
  type Kind,
  list,
  networks,
  origins,
  port,
  size,
  sizeOrOff,
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
      ['0.000001', 0.000001],
      ['999999999.999999', 999_999_999.999999],
    ],
    ['', '-1', '.5', '1,5', '1e3', '2 EUR', '1000000000', '0.0000001', '9'.repeat(400)],
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
      ['0.1ms', 1],
      ['5M', 300_000],
    ],
    ['', '-5', '5 m', '5min', 's', '1h30m', 'Infinity', '25d', '2147483647ms', '9'.repeat(400)],
  ],
  [
    'size',
    size(1, 2 ** 31),
    [
      ['0.4', 1],
      ['10485760', 10_485_760],
      ['10MiB', 10_485_760],
      ['10 mib', 10_485_760],
      ['1KB', 1000],
      ['1.5GiB', 1_610_612_736],
      ['7B', 7],
    ],
    ['', '0', '0B', '10M', '-1', '1TiB', 'iB', '5ib', '2147483649', '9007199254740993', '9'.repeat(400)],
  ],
  [
    'sizeOrOff',
    sizeOrOff(1024),
    [
      ['0', 0],
      ['0.0', 0],
      ['1', 1],
      ['1KiB', 1024],
    ],
    ['1025', '-0', ''],
  ],
  [
    'durationFrom',
    durationFrom(1000),
    [
      ['1', 1000],
      ['1000ms', 1000],
      ['24d', 2_073_600_000],
    ],
    ['0', '999ms', '25d', '2147483647ms'],
  ],
  [
    'durationFromOrOff',
    durationFromOrOff(1000),
    [
      ['0', 0],
      ['0ms', 0],
      ['1s', 1000],
    ],
    ['1ms', '0.1ms', '999ms', '25d'],
  ],
  [
    'fraction',
    fraction,
    [
      ['0', 0],
      ['1.0', 1],
      ['.25', 0.25],
      ['1e-9', 1e-9],
    ],
    ['1.1', '-0.1', 'half', '', 'NaN', 'Infinity', '0x1'],
  ],
  [
    'headerText',
    headerText,
    [['sk-a b~', 'sk-a b~']],
    ['schlüssel', 'a\nb', 'a\u0000b', '€', 'a\u007f', 'a\tb'],
  ],
  [
    'backendUrl',
    backendUrl,
    [
      ['http://a:1', 'http://a:1'],
      ['http://[::1]:8080/', 'http://[::1]:8080/'],
      ['http://a:1/v1', 'http://a:1/v1'],
      ['unix:/a/b.sock', 'unix:/a/b.sock'],
    ],
    [
      ...['https://a', 'a:1', '/a.sock', '', 'unix:', 'unix:/', 'unix://host/a.sock', 'http://'],
      ...[
        'http://key@a:1',
        'http://u:p@a:1',
        'http://a:1/llama',
        'http://a:1?x=1',
        'http://a:1/#x',
        'localhost:8080',
      ],
    ],
  ],
  [
    'origins',
    origins,
    [
      ['*', ['*']],
      ['https://Upper.Example/', ['https://upper.example']],
      ['https://a.example:443,http://a.example:80', ['https://a.example', 'http://a.example']],
      ['https://a.example:8443', ['https://a.example:8443']],
      ['http://localhost:*, chrome-extension://*', ['http://localhost:*', 'chrome-extension://*']],
      ['https://*.Sub.example', ['https://*.sub.example']],
      ['https://app-*.vercel.app', ['https://app-*.vercel.app']],
      ['http://[::1]:3000,http://[::1]:*', ['http://[::1]:3000', 'http://[::1]:*']],
      ['https://münchen.example', ['https://xn--mnchen-3ya.example']],
      [
        'app://obsidian.md,capacitor://localhost,null',
        ['app://obsidian.md', 'capacitor://localhost', 'null'],
      ],
      ['', []],
    ],
    [
      ...[
        'app.example',
        'localhost:3000',
        '*.example',
        'https://',
        'https://a/b',
        'https://a?b',
        'https://u@a',
      ],
      ...[
        'https://a b',
        'https://a:99999',
        'https://a:x',
        'https://a,nonsense',
        'https://a.*.b',
        'https://**.a',
      ],
      ...['https://*a*b*c.d', '"https://a"', 'https://a//'],
    ],
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
    'issuerUrl',
    issuerUrl,
    [
      ['https://login.example/realms/team', 'https://login.example/realms/team'],
      ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080/'],
    ],
    [
      'login.example',
      'ftp://login.example',
      'https://me:secret@login.example',
      'https://me@login.example',
      'https://login.example?tenant=1',
      'https://login.example#x',
      'https://login.example?',
      '',
    ],
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
  it('parses valid values', () => {
    for (const [text, value] of good) expect([text, kind.parse(text)]).toEqual([text, value]);
  });

  it('rejects everything else', () => {
    for (const text of bad) expect([text, kind.parse(text)]).toEqual([text, undefined]);
    expect(kind.expected).toMatch(/\S/);
  });

  it('parses what it has formatted', () => {
    for (const [, value] of good) expect(kind.parse(kind.format(value))).toEqual(value);
  });
});

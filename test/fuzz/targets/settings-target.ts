import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { gatewayConfig } from '../../../gateway/config.ts';
import { readSettings } from '../../../settings/read-settings.ts';
import type { Variable } from '../../../settings/variable.ts';
import { variables } from '../../../settings/variables.ts';
import { pure, type Target } from '../target.ts';

const known: Readonly<Record<string, Variable>> = variables;
const names = Object.keys(known);
const values = [
  '1',
  '0',
  '-1',
  'true',
  'off',
  '90s',
  '5m',
  '2.5h',
  '1ms',
  '10MiB',
  '1.5gb',
  'auto',
  'a,b,,c',
  '10.0.0.0/8',
];
const odd = [
  '::1/128',
  'http://x:1/',
  'http://[',
  '/ping',
  '/',
  '9'.repeat(400),
  '1e3',
  '0x10',
  '٣',
  '\u00a05',
  '1.',
  '.5',
];
/** The longest delay of Node's timers; a longer one would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The environment, one line NAME=VALUE for each variable. */
export const settingsTarget: Target = {
  name: 'settings',
  seeds: [
    'PORT=8000\nAUTH_ENABLED=no\nQUEUE_TIMEOUT=90s',
    'MAX_REQUEST_BODY_SIZE=10MiB\nCORS_ORIGINS=*',
    'PROT=1',
  ],
  tokens: [...names.map((name) => `${name}=`), ...values, ...odd],
  grammar: fc
    .array(
      fc.tuple(fc.constantFrom(...names, '__proto__', 'constructor'), fc.constantFrom(...values, ...odd)),
      { maxLength: 6 },
    )
    .map((pairs) => pairs.map((pair) => pair.join('=')).join('\n')),
  open: pure((input) => {
    const env = environmentOf(input.toString());
    const { settings, problems } = readSettings(env);
    for (const { variable, message } of problems) {
      const value = env[variable] ?? '';
      if (known[variable]?.secret && value.length > 8 && message.includes(value))
        throw new Error('a message contains a secret');
    }
    for (const [name, value] of Object.entries(settings)) if (value !== undefined) checkValue(name, value);
    const environment = {
      host: 'x',
      keyFile: () => '',
      dataDir: '',
      backendUrl: settings.BACKEND_URL ?? 'http://x',
    };
    fitsTimers(gatewayConfig(settings, environment).timeouts);
  }),
};

/** Names no file: the same code reads the text of a file, and some files have no end. */
function environmentOf(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => line.split('='));
  return Object.fromEntries(
    lines.flatMap(([name = '', ...value]) => (/_FILE$/.test(name) ? [] : [[name, value.join('=')]])),
  );
}

function checkValue(name: string, value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${name} is no number`);
  const kind = known[name]?.kind;
  if (kind === undefined) throw new Error(`${name} is no variable`);
  const again = kind.parse(kind.format(value));
  if (!isDeepStrictEqual(again, value)) throw new Error(`${name} does not survive being shown`);
}

function fitsTimers(timeouts: Readonly<Record<string, number | undefined>>): void {
  for (const [name, ms = 0] of Object.entries(timeouts)) {
    if (ms > LONGEST_TIMER) throw new Error(`no timer waits as long as ${name}`);
  }
}

import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { KeyFileError } from '../../../keys/key.ts';
import { KeyRing } from '../../../keys/key-ring.ts';
import { formatKeysJson, parseKeysJson } from '../../../keys/keys-json.ts';
import {
  isKeysJson,
  type ParsedKeys,
  parseApiKeysVariable,
  parseKeyLines,
} from '../../../keys/parse-keys.ts';
import { pure, type Target } from '../target.ts';

const print = `sha256:${'0123456789abcdef'.repeat(4)}`;
const record = (fields: object) =>
  JSON.stringify({ version: 1, keys: [{ id: 'a', fingerprint: print, ...fields }] });

const field = fc.constantFrom(
  'a',
  'key_1',
  'sk-0123456789abcdef',
  '60',
  '+5',
  '0',
  '-1',
  '2027-01-01T00:00:00Z',
  '',
  ' ',
  'é',
);
const lines = fc
  .array(
    fc.array(field, { minLength: 1, maxLength: 5 }).map((fields) => fields.join(':')),
    { maxLength: 4 },
  )
  .map((all) => all.join('\n'));
const json = fc
  .dictionary(
    fc.constantFrom(
      'created',
      'expires',
      'disabled',
      'scopes',
      'models',
      'priority',
      'limits',
      'previous',
      'note',
      '__proto__',
      'hint',
    ),
    fc.constantFrom<unknown>(
      null,
      true,
      '2027-01-31',
      '0000-01-01',
      '9999-12-31T23:59:59.999Z',
      [],
      ['admin'],
      'high',
      { x: 1 },
      0,
    ),
  )
  .map(record);

/** The key file, in both formats, and `API_KEYS`. */
export const keysTarget: Target = {
  name: 'keys',
  seeds: [
    'a:sk-0123456789abcdef\n# no key\n\nb:0123456789abcdefg:60:2027-01-31T12:00:00+02:00\r\n',
    record({}),
    record({
      expires: '2027-01-31T12:00:00Z',
      limits: { requestsPerMinute: 5 },
      scopes: ['admin'],
      priority: 'high',
    }),
    record({
      previous: { fingerprint: print.replace('0', 'f'), validUntil: '2027-01-31' },
      unknown: [1],
      disabled: true,
    }),
  ],
  tokens: [
    ':',
    '\n',
    '0123456789abcdef',
    '2027-01-31',
    '24:00',
    'T12:00Z',
    '+14:00',
    '"expires":',
    '"limits":{}',
    print,
    '"__proto__":{}',
    '"id":"a"',
  ],
  grammar: fc.oneof(lines, json),
  open: pure((input) => {
    const text = input.toString();
    readEither(text);
    const { keys, warnings } = parseApiKeysVariable(text);
    checkKeys(keys);
    quotesNoSecret(text.replaceAll(',', '\n'), warnings);
  }),
};

function readEither(text: string): void {
  try {
    const { keys, warnings } = isKeysJson(text) ? parseKeysJson(text) : parseKeyLines(text);
    checkKeys(keys);
    if (isKeysJson(text)) roundTrips(text);
    else quotesNoSecret(text, warnings);
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error;
    if (/[\p{Cc}\u2028]/u.test(error.message.replace(/".*"/s, '')))
      throw new Error('a message of several lines');
  }
}

function checkKeys(keys: ParsedKeys['keys']): void {
  new KeyRing(keys).authenticate('sk-of-nobody-at-all', 0);
  for (const { id, fingerprint, expires, limits } of keys) {
    if (!/^[\p{L}\p{N}_-]{1,64}$/u.test(id)) throw new Error('a key of no good name');
    if (!/^sha256:[0-9a-f]{64}$/.test(fingerprint)) throw new Error('a fingerprint that is none');
    if (expires !== null && !Number.isFinite(expires)) throw new Error('an expiry that is no time');
    for (const limit of Object.values(limits)) {
      if (typeof limit === 'number' && !(limit >= 0)) throw new Error('a limit below 0');
    }
  }
}

/** Keys that are parsed and written parse to the same keys again. */
function roundTrips(text: string): void {
  const document = parseKeysJson(text);
  const again = parseKeysJson(formatKeysJson(document));
  if (!isDeepStrictEqual(again, document))
    throw new Error('a document that does not survive its own writing');
}

function quotesNoSecret(text: string, warnings: readonly string[]): void {
  // The example time in a warning is no secret, even if an input has it as one.
  const shown = warnings.join('\n').replaceAll(/"[^"]*"|2027-01-31T12:00:00Z/g, '');
  for (const line of text.split(/[\r\n]/)) {
    const secret = line.split(':')[1]?.trim() ?? '';
    if (/^[\w-]{12,}$/.test(secret) && shown.includes(secret))
      throw new Error('a warning with a secret in it');
  }
}

import * as z from 'zod';
import { FileError } from '../fs/file-error.ts';
import { findLostName } from '../json/lost-name.ts';
import { didYouMean, withoutStyle } from '../settings/nearest-name.ts';
import type { ClaimsRule } from './claims-rules.ts';
import { isKeyId, keyDefaults, keyIdRule, priorities, scopes } from './key.ts';

/** The claims file cannot be used. The message names every mistake. */
export class ClaimsFileError extends FileError {
  override readonly name = 'ClaimsFileError';
}

const expected = 'must be a text, a number, true or false, or a list of these';
const value = z.union([z.string().min(1), z.number(), z.boolean()], { error: expected });
/** A `*` elsewhere would be taken literally, and surprise its author. */
const accepted = value.refine((one) => typeof one !== 'string' || !one.slice(0, -1).includes('*'), {
  error: 'may have a * at its end only',
});
const limit = z.int({ error: 'must be an integer ≥ 0' }).min(0, 'must be an integer ≥ 0');
const rule = z.strictObject({
  name: z.string().refine(isKeyId, keyIdRule),
  when: z
    .record(
      z.string().min(1),
      z.union(
        [accepted.transform((one) => [one]), z.array(accepted).min(1, 'must name at least one value')],
        { error: expected },
      ),
    )
    .transform((when) => new Map(Object.entries(when))),
  scopes: z.array(z.enum(scopes)),
  models: z.array(z.string()).default([...keyDefaults.models]),
  priority: z.enum(priorities).default(keyDefaults.priority),
  limits: z
    .strictObject({
      requestsPerMinute: limit.optional(),
      tokensPerMinute: limit.optional(),
      tokensPerDay: limit.optional(),
      concurrent: limit.optional(),
    })
    .default({}),
});
const file = z.strictObject({ version: z.literal(1), rules: z.array(rule).max(1000) });

const knownFields = [
  ...Object.keys(file.shape),
  ...Object.keys(rule.shape),
  ...['requestsPerMinute', 'tokensPerMinute', 'tokensPerDay', 'concurrent'],
];

/**
 * The rules of a claims file, in order. Throws a ClaimsFileError with every mistake. An unknown field is one, as a misspelt
 * condition or limit would give more rights than its author meant.
 */
export function parseClaimsFile(text: string): readonly ClaimsRule[] {
  const content = parseJson(text);
  const lost = findLostName(text);
  if (lost !== undefined) throw new ClaimsFileError(lostName(lost));
  const reading = file.safeParse(content);
  const mistakes = reading.success
    ? duplicates(reading.data.rules)
    : reading.error.issues.flatMap(flatten).map((issue) => formatIssue(issue, content));
  if (mistakes.length > 0 || !reading.success) throw new ClaimsFileError(mistakes.join('; '));
  return reading.data.rules;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const place = /line \d+ column \d+/.exec(String(error))?.[0];
    throw new ClaimsFileError(`is not valid JSON${place ? ` (${place})` : ', or cut off'}`);
  }
}

/** For a union, what is wrong with the alternative that was meant says more than that none fits. */
function flatten(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find((issues) => issues.every(({ code }) => !code.startsWith('invalid_')));
  return meant?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? [issue];
}

function formatIssue(issue: z.core.$ZodIssue, content: unknown): string {
  const { path } = issue;
  const place = path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .slice(1);
  const name = z
    .object({ rules: z.array(z.unknown()) })
    .transform(({ rules }) => rules[Number(path[1])])
    .pipe(z.object({ name: z.string().max(64) }))
    .safeParse(content).data?.name;
  const message = issue.code === 'unrecognized_keys' ? unknownFields(issue.keys) : issue.message;
  return `${place || 'the file'}${name === undefined ? '' : ` (rule ${JSON.stringify(name)})`}: ${message}`;
}

function unknownFields(names: readonly string[]): string {
  return names
    .map((name) => {
      const known = synonyms[withoutStyle(name)];
      const hint = known ? `did you mean "${known}"?` : didYouMean(name, knownFields);
      return `unknown field ${JSON.stringify(name.slice(0, 40))}${hint === undefined ? '' : `, ${hint}`}`;
    })
    .join(', ');
}

const synonyms: Readonly<Record<string, string>> = {
  claims: 'when',
  match: 'when',
  rpm: 'requestsPerMinute',
  tpm: 'tokensPerMinute',
  tpd: 'tokensPerDay',
};

/** Without it, a rule would match more tokens than its author meant. */
function lostName(name: string): string {
  if (name === '__proto__') return '"__proto__" cannot be the name of a claim';
  const shown = JSON.stringify(name.slice(0, 40));
  return `an object has ${shown} twice, and only the last would count: give it a list of values, or write two rules`;
}

/** Stored things and logs refer to a rule by its name. */
function duplicates(rules: readonly ClaimsRule[]): string[] {
  const names = rules.map(({ name }) => name);
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  return [...twice].map((name) => `two rules have the name "${name}": rename one`);
}

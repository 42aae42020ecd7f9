import * as z from 'zod';
import type { Kind } from '../settings/kinds.ts';

/** A field that is checked by `parse`, which returns undefined for an invalid value. */
export function field<T>(expected: string, parse: (value: unknown) => T | undefined) {
  return z.unknown().transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: invalidValue(value, expected) });
    return z.NEVER;
  });
}

/** A field with the syntax of a variable: without NUL characters. Numbers may be written without quotes. */
export const fieldLike = <T>(kind: Kind<T>) =>
  field(kind.expected, (value) => {
    if (typeof value !== 'string' && typeof value !== 'number') return undefined;
    const text = String(value).trim();
    return text.includes('\0') ? undefined : kind.parse(text);
  });

export const textField = <T>(expected: string, parse: (text: string) => T | undefined) =>
  field(expected, (value) =>
    typeof value === 'string' && value.trim() !== '' && !value.includes('\0') ? parse(value) : undefined,
  );

export const booleanField = field('true or false', (value) =>
  typeof value === 'boolean' ? value : undefined,
);

export const choiceField = <const Word extends string>(words: readonly Word[]) =>
  field(`one of ${words.join(', ')}`, (value) => words.find((word) => word === value));

export const listField = <T extends z.ZodType>(item: T, expected: string) =>
  z.array(item, { error: whereInvalid(expected) });

/** An object in which unknown fields are mistakes. */
export const objectField = <T extends z.ZodRawShape>(fields: T, expected: string) =>
  z.strictObject(fields, { error: whereInvalid(expected) });

function whereInvalid(expected: string) {
  return ({ code, input }: z.core.$ZodRawIssue) =>
    code === 'invalid_type' ? invalidValue(input, expected) : undefined;
}

export function invalidValue(value: unknown, expected: string): string {
  return value === undefined
    ? `is missing; expected ${expected}`
    : `invalid value ${show(value)}; expected ${expected}`;
}

/** A value for a message, cut if it is long. */
function show(value: unknown): string {
  const shown = JSON.stringify(value);
  return shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
}

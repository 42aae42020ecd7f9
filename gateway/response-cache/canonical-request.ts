import { isKeptNumber, parseExactly } from '../../json/exact-numbers.ts';
import type { JsonObject } from '../../json/json-object.ts';
import { isJsonObject } from '../api/json.ts';

/**
 * One text for all bodies that mean the same to the engine, and for no two others: white space, and the order of the members
 * where it says nothing, are left out. Everywhere else the order is kept, and numbers as they were written: a JSON schema
 * makes the model write its properties in their order, and templates may list the members of what they get.
 *
 * `model` is the one that answers, in place of the name that the client gave. Undefined for a body whose order is lost: a
 * parser sorts members with whole numbers as names.
 */
export function canonicalRequest(body: string, model: string): string | undefined {
  const { model: _, ...fields } = parseExactly(body) as JsonObject;
  if (Object.entries(fields).some(([name, value]) => !anyOrder.has(name) && hasNumericNames(value)))
    return undefined;
  return JSON.stringify(model) + writeMembers(fields, (name, value) => writeField(name, value));
}

/** Their members are read by name. */
const anyOrder: ReadonlySet<string> = new Set(['stream_options', 'logit_bias']);

function writeField(name: string, value: unknown): string {
  if (name === 'messages' && Array.isArray(value)) return writeList(value, writeMessage);
  if (anyOrder.has(name) && isMembers(value)) return writeMembers(value, (_, member) => write(member));
  return write(value);
}

const writeMessage = (message: unknown) =>
  isMembers(message)
    ? writeMembers(message, (name, value) =>
        name === 'content' && Array.isArray(value) ? writeList(value, writePart) : write(value),
      )
    : write(message);

const writePart = (part: unknown) =>
  isMembers(part) ? writeMembers(part, (_, value) => write(value)) : write(part);

const writeList = (list: readonly unknown[], writeItem: (item: unknown) => string) =>
  `[${list.map(writeItem).join()}]`;

function writeMembers(object: JsonObject, writeValue: (name: string, value: unknown) => string): string {
  const members = Object.keys(object)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${writeValue(name, object[name])}`);
  return `{${members.join()}}`;
}

const write = (value: unknown) => JSON.stringify(value);

const isMembers = (value: unknown): value is JsonObject => isJsonObject(value) && !isKeptNumber(value);

function hasNumericNames(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasNumericNames);
  if (!isMembers(value)) return false;
  return Object.keys(value).some((name) => wholeNumber.test(name) || hasNumericNames(value[name]));
}

const wholeNumber = /^\d+$/;

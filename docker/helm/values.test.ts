import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { chartFile, chartPage, describedValues } from '../../scripts/helm/chart-page.ts';
import type { Variable } from '../../settings/variable.ts';
import { variables } from '../../settings/variables.ts';
import { defaultValues, isMap, mergeValues, testedValues } from '../../test/helm/chart.ts';
import { chartFolder, type Values } from '../../test/helm/render-chart.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly propertyNames?: { readonly not: { readonly enum: readonly string[] } };
}

const read = (file: string) => readFileSync(join(chartFolder, file), 'utf8');
const described = describedValues(read('values.yaml')).map(({ path }) => path.join('.'));
const schema = JSON.parse(read('values.schema.json')) as Schema;
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
const templates = readdirSync(join(chartFolder, 'templates')).map((name) => read(`templates/${name}`));
const defaults = await defaultValues();

/** Where a schema lists what there is, and nothing else is allowed; what it leaves open counts as one value. */
function valuesOf(part: Schema, path: readonly string[] = []): string[] {
  const entries = Object.entries(part.properties ?? {});
  if (entries.length === 0 || part.additionalProperties !== false) return [path.join('.')];
  return entries.flatMap(([name, inner]) => valuesOf(inner, [...path, name]));
}

/** As a whole, or one by one after something that stands for the group. */
function isUsed(path: string): boolean {
  const names = path.split('.');
  const groups = names.map((_, index) => names.slice(0, index + 1).join('.'));
  return templates.some((text) =>
    groups.some((group) => {
      const whole = new RegExp(`\\.Values\\.${group.replaceAll('.', '\\.')}(?![.\\w])`).test(text);
      const rest = names.slice(group.split('.').length);
      return whole && rest.every((name) => new RegExp(`\\.${name}\\b`).test(text));
    }),
  );
}

function refused(changes: Values): boolean {
  return !validate(mergeValues(defaults, changes));
}

describe('the values of the chart', () => {
  it('are all listed in its README (run `npm run docs`)', () => {
    expect(read('README.md')).toBe(chartPage());
  });

  it('have the version of the package (run `npm run docs`)', () => {
    expect(read('Chart.yaml')).toBe(chartFile());
    expect(read('Chart.yaml')).toMatch(/^version: \d.*\nappVersion: \d/m);
  });

  it('are those of the schema', () => {
    const inSchema = valuesOf(schema).filter((path) => path !== 'global');
    // What holds more than one value, and is set as one.
    const whole = inSchema.map((path) => path.replace(/^resources\..*/, 'resources'));
    expect([...new Set(whole)].sort()).toEqual([...described].sort());
  });

  it('are all used by a template', () => {
    expect(described.filter((path) => !isUsed(path))).toEqual([]);
  });

  it('match the schema, as do all sets of values in ci/', async () => {
    for (const { name, values } of await testedValues())
      expect(validate(values), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
  });

  it('have every option changed in at least one of these sets', async () => {
    const changes = (await testedValues()).map((set) => set.changes);
    const touched = (path: string) =>
      changes.some(
        (set) =>
          path.split('.').reduce<unknown>((at, name) => (isMap(at) ? at[name] : undefined), set) !==
          undefined,
      );
    const switches = described.filter((path) => /(enabled|create|requireKey|api)$/.test(path));
    expect(switches.filter((path) => !touched(path))).toEqual([]);
  });

  it('are rejected if they are misspelt or inconsistent', () => {
    expect(refused({ replica: 2 })).toBe(true);
    expect(refused({ gpu: { counts: 1 } })).toBe(true);
    expect(refused({ timeouts: { drain: '25s' } })).toBe(true);
    expect(refused({ ports: { http: 80 } })).toBe(true);
    expect(refused({ model: { huggingFace: 'not a repository' } })).toBe(true);
    expect(refused({ podSecurityContext: { runAsUser: 0 } })).toBe(true);
    expect(refused({})).toBe(false);
  });

  it('reject secrets and variables of other values in `settings`', () => {
    const all = Object.entries(variables as Record<string, Variable>);
    const secrets = all.filter(([, { secret }]) => secret).map(([name]) => name);
    const set = [...templates.join('\n').matchAll(/- name: ([A-Z][A-Z_]+)\n/g)].map(([, name]) => name);
    const { properties } = schema;
    const forbidden = properties?.settings?.propertyNames?.not.enum ?? [];
    expect([...forbidden].sort()).toEqual([...new Set([...secrets, ...set, 'MODEL_PATH'])].sort());
    expect(refused({ settings: { API_KEYS: 'app:sk-1' } })).toBe(true);
    expect(refused({ settings: { MAX_QUEUE_SIZE: 200 } })).toBe(true);
    expect(refused({ settings: { MAX_QUEUE_SIZE: '200' } })).toBe(false);
  });
});

import { expect, it } from 'vitest';
import type { AliasView, ModelView } from '../engines/model-views.ts';
import { describeModels } from './model-rows.ts';
import type { OpenRequest } from './request-views.ts';

const model = (id: string, fields: Partial<ModelView> = {}): ModelView => ({
  ...{ id, kind: 'chat', status: 'loaded', loadProgress: null, failure: null, pin: false, listed: true },
  ...{ memory: 100, restarts: 0, crashes: {}, engines: [] },
  ...{ queue: { waiting: 0 }, slots: { total: 2, busy: 1 } },
  ...fields,
});
const request = (of: string, tokensPerSecond: number | null): OpenRequest => ({
  ...{ id: 'x', key: null, user: null, path: '/', model: of, state: 'running' },
  ...{ ageMs: 0, queuedMs: 0, tokens: 0, tokensPerSecond },
});
const noCosts = { moneyByModel: undefined, byModel: new Map() };
const rest = { aliases: [], memoryBudget: 1000, problem: null };

it('adds up the rates of the open requests and the memory of the loaded models', () => {
  const open = [request('a', 10), request('a', 2.5), request('a', null), request('b', 7)];
  const models = [model('a'), model('b', { status: 'unloaded' }), model('c', { status: 'loading' })];
  const rows = describeModels({ ...rest, models }, open, noCosts);
  expect(rows.models.map(({ tokensPerSecond }) => tokensPerSecond)).toEqual([12.5, 7, 0]);
  expect(rows).toMatchObject({ memoryUsed: 200, memoryBudget: 1000 });
});

it('shows the shares of an alias as they are now', () => {
  const target = (of: string, effectiveWeight: number, suspended: 'failed' | null = null) => ({
    ...{ model: of, weight: 5, effectiveWeight, suspended },
  });
  const alias = (...targets: AliasView['targets']): AliasView => ({
    name: 'latest',
    targets,
    previous: null,
  });
  const sharesOf = (one: AliasView) =>
    describeModels({ ...rest, models: [], aliases: [one] }, [], noCosts).aliases[0]?.targets.map(
      ({ share }) => share,
    );
  expect(sharesOf(alias(target('a', 9), target('b', 1)))).toEqual([0.9, 0.1]);
  expect(sharesOf(alias(target('a', 9), target('b', 0, 'failed')))).toEqual([1, 0]);
  expect(sharesOf(alias(target('a', 0, 'failed')))).toEqual([0]);
});

it('shows what each model costs, as far as that is known', () => {
  const models = [model('a'), model('idle')];
  const costsOf = (costs: Partial<Parameters<typeof describeModels>[2]>) =>
    describeModels({ ...rest, models }, [], { ...noCosts, ...costs }).costs;
  const byModel = new Map([['a', { joulesPerOutputToken: 3, costPerMillionOutputTokens: undefined }]]);
  expect(costsOf({})).toBeNull();
  const energy = { id: 'a', cost: null, costPerMillion: null, joulesPerToken: 3 };
  expect(costsOf({ byModel })).toMatchObject([energy, { id: 'idle', joulesPerToken: null }]);
  expect(costsOf({ byModel, moneyByModel: new Map([['a', 2]]) })).toEqual([
    { ...energy, cost: 2 },
    { id: 'idle', cost: 0, costPerMillion: null, joulesPerToken: null },
  ]);
});

import { expect, it } from 'vitest';
import type { ModelView } from '../models/model-views.ts';
import { describeModels } from './model-rows.ts';
import type { OpenRequest } from './request-views.ts';

const model = (id: string, fields: Partial<ModelView> = {}): ModelView => ({
  ...{ id, kind: 'chat', status: 'loaded', loadProgress: null, failure: null, pin: false, listed: true },
  ...{ memory: 100, restarts: 0, crashes: {}, engines: [] },
  ...fields,
});
const request = (of: string, state: OpenRequest['state'], tokensPerSecond: number | null): OpenRequest => ({
  ...{ id: 'x', key: null, path: '/', model: of, state, ageMs: 0, queuedMs: 0, tokens: 0, tokensPerSecond },
});
const engine = { id: 'e', status: 'ready', slots: 2, loadProgress: null } as const;
const rest = { aliases: [], memoryBudget: 1000, problem: null };

it('adds up engines and open requests of each model', () => {
  const open = [
    request('a', 'running', 10),
    request('a', 'running', null),
    request('a', 'waiting', null),
    request('b', 'waiting', null),
  ];
  const models = [
    model('a', { engines: [engine, engine] }),
    model('b', { status: 'unloaded', engines: [{ ...engine, status: 'unloaded', slots: null }] }),
  ];
  const rows = describeModels({ ...rest, models }, open);
  expect(rows.models).toMatchObject([
    { id: 'a', slots: 4, running: 2, waiting: 1, tokensPerSecond: 10 },
    { id: 'b', slots: null, running: 0, waiting: 1, tokensPerSecond: 0 },
  ]);
  expect(rows).toMatchObject({ memoryUsed: 100, memoryBudget: 1000 });
});

it('shows the shares of an alias', () => {
  const targets = [
    { model: 'a', weight: 9 },
    { model: 'b', weight: 1 },
  ];
  const aliases = [{ name: 'latest', targets, previous: null }];
  expect(describeModels({ ...rest, models: [], aliases }, []).aliases).toEqual([
    {
      name: 'latest',
      targets: [
        { model: 'a', share: 0.9 },
        { model: 'b', share: 0.1 },
      ],
      canRollBack: false,
    },
  ]);
});

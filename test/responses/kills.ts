import { setTimeout as sleep } from 'node:timers/promises';
import {
  appSecret,
  type BatchProduct,
  type ProcessName,
  processes,
  startBatchProduct,
} from '../batches/product.ts';
import { textOf } from '../harness/responses-client.ts';
import { exactly, type Report } from '../several-models/report.ts';
import { type Followed, follow } from './followers.ts';
import { kindOf, type Told } from './kinds.ts';
import type { Scenario, ScenarioOptions } from './scenario.ts';

/** Every so many responses one is followed. */
const FOLLOWED = 10;

type Kills = Record<ProcessName, number>;

export const kills: Scenario = {
  claim:
    'background responses during kill -9 of engine, gateway, runner and supervisor: each reaches its end, with the exact text',
  async run({ responses: count = 500, kills: killCount = 40, onProgress }) {
    await using batches = await startBatchProduct();
    const startedAt = performance.now();
    const ids: string[] = [];
    const followers: Promise<Followed>[] = [];
    const createAll = async () => {
      for (let n = 0; n < count; n++) {
        const id = await create(batches, n);
        ids.push(id);
        if (n % FOLLOWED === 0) followers.push(follow(batches, id));
      }
      onProgress(`${count} responses created`);
    };
    const ended = () => ids.length - batches.store.responses.open().length;
    const options = { isDone: (part: number) => ended() >= part * count, count: killCount, onProgress };
    const [{ killed, interrupted }] = await Promise.all([killWhileRunning(batches, options), createAll()]);
    const told = await untilAllEnded(batches, ids);
    const seconds = (performance.now() - startedAt) / 1000;
    const anew = ids.filter((id) => batches.store.responses.firstEvent(id) > 0);
    return report({
      ...{ told, killed, seconds, followed: await Promise.all(followers) },
      ...{ anew: anew.length, continued: interrupted.difference(new Set(anew)).size },
    });
  },
};

/** With a key, so that a creation whose answer was lost is not repeated. */
async function create(batches: BatchProduct, n: number): Promise<string> {
  const json = { model: 'demo', temperature: 0, background: true, ...kindOf(n).request(n) };
  const { id } = await ask<Told>(batches, 'POST /v1/responses', json, { 'idempotency-key': `response-${n}` });
  return id;
}

/** Asks until there is an answer, whatever happens to the gateway. */
async function ask<T>(
  batches: BatchProduct,
  what: string,
  json?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const [method = '', path = ''] = what.split(' ');
  for (;;) {
    try {
      const response = await fetch(batches.product.origin + path, {
        method,
        headers: { authorization: `Bearer ${appSecret}`, 'content-type': 'application/json', ...headers },
        body: json === undefined ? null : JSON.stringify(json),
      });
      if (response.ok) return (await response.json()) as T;
      if (response.status < 500) throw new TypeError(`${what}: ${response.status} ${await response.text()}`);
    } catch (error) {
      if (error instanceof TypeError && error.message.startsWith(what)) throw error;
    }
    await sleep(100);
  }
}

interface KillOptions {
  /** Whether this part of the responses has ended. */
  isDone(part: number): boolean;
  readonly count: number;
  readonly onProgress: ScenarioOptions['onProgress'];
}

/** Spreads the kills over the responses: each at a random time, of a random process. */
async function killWhileRunning(batches: BatchProduct, { isDone, count, onProgress }: KillOptions) {
  const killed: Kills = { engine: 0, gateway: 0, runner: 0, supervisor: 0 };
  const interrupted = new Set<string>();
  for (let n = 0; n < count; n++) {
    const part = (n + Math.random()) / (count + 1);
    while (!isDone(part)) await sleep(20);
    const name = processes[Math.floor(Math.random() * processes.length)] ?? 'engine';
    onProgress(`${Math.round(100 * part)} % ended; kill ${n + 1} of ${count}: ${name}`);
    for (const { id, status } of batches.store.responses.open())
      if (status === 'in_progress') interrupted.add(id);
    await batches.kill(name);
    killed[name] += 1;
  }
  return { killed, interrupted };
}

async function untilAllEnded(batches: BatchProduct, ids: readonly string[]): Promise<Told[]> {
  while (batches.store.responses.open().length > 0) await sleep(100);
  const told: Told[] = [];
  for (const id of ids) told.push(await ask<Told>(batches, `GET /v1/responses/${id}`));
  return told;
}

interface Outcome {
  readonly told: readonly Told[];
  readonly killed: Kills;
  readonly seconds: number;
  readonly followed: readonly Followed[];
  /** Responses that were begun anew, and those that ran during a kill and were not. */
  readonly anew: number;
  readonly continued: number;
}

function report({ told, killed, seconds, followed, anew, continued }: Outcome): Report {
  const wrong = told.filter((response, n) => !kindOf(n).isExact(response));
  const texts = new Map(told.map((response) => [response.id, textOf(response)]));
  const astray = followed.filter(({ id, text, gaps }) => gaps > 0 || text !== texts.get(id));
  const breaks = followed.reduce((sum, seen) => sum + seen.breaks, 0);
  return {
    figures: [
      { name: 'responses', value: told.length },
      ...Object.entries(killed).map(([name, value]) => ({ name: `kills of the ${name}`, value })),
      { name: 'seconds', value: seconds, unit: 's' },
      {
        name: 'responses that have ended well',
        value: told.filter(({ status }) => status === 'incomplete' || status === 'completed').length,
        goal: exactly(told.length),
      },
      { name: 'responses that are not exact', value: wrong.length, goal: exactly(0) },
      { name: 'continued after a kill', value: continued },
      { name: 'begun anew', value: anew },
      { name: 'followers', value: followed.length },
      { name: 'followers that have missed or repeated anything', value: astray.length, goal: exactly(0) },
      { name: 'streams of followers that broke', value: breaks },
    ],
    problems: [...wrong, ...astray].map((problem) => JSON.stringify(problem).slice(0, 300)),
  };
}

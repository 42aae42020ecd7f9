import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { storyText, type Topic } from '../../../cli/demo-model/stories.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { scrape } from '../../harness/read-metrics.ts';
import { newFolder, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';

async function start(env: Record<string, string>): Promise<RunningDeployment> {
  const folder = newFolder();
  mkdirSync(join(folder, 'data'));
  const keys = keyFileText({ ops: { secret, scopes: ['admin', 'inference', 'native', 'metrics'] } });
  writeFileSync(join(folder, 'data', 'keys.json'), keys, { mode: 0o600 });
  return startDeployment({
    folder,
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: { MAX_REQUESTS_PER_MINUTE: '0', PARALLEL: '2', CTX: '16384', HANG_TIMEOUT: '5s', ...env },
  });
}

const originOf = ({ gatewayPort }: RunningDeployment) => `http://127.0.0.1:${gatewayPort}`;

/** `onText` is called with the text so far. */
async function tell(deployment: RunningDeployment, topic: Topic, onText?: (text: string) => void) {
  const openai = new OpenAI({ baseURL: `${originOf(deployment)}/v1`, apiKey: secret, maxRetries: 0 });
  const stream = await openai.chat.completions.create({
    ...{ model: 'any', temperature: 0, stream: true, max_tokens: 1000 },
    messages: [{ role: 'user', content: topic }],
  });
  let text = '';
  for await (const { choices } of stream) {
    text += choices[0]?.delta.content ?? '';
    onText?.(text);
  }
  return text;
}

const countsOf = async (deployment: RunningDeployment) => {
  const metrics = await scrape(originOf(deployment), secret);
  return {
    drafted: metrics.sum('corral_speculation_draft_tokens_total'),
    accepted: metrics.sum('corral_speculation_accepted_tokens_total'),
  };
};

interface Engine {
  readonly speculation?: { readonly method: string; readonly acceptedTokens?: number };
}

const speculationOf = async (deployment: RunningDeployment) => {
  const { models = [] } = await deployment.status();
  return (models[0]?.engines[0] as Engine | undefined)?.speculation;
};

describe('with n-grams', () => {
  let deployment: RunningDeployment;
  beforeAll(async () => {
    deployment = await start({ SPECULATE: 'ngram' });
    await deployment.reachesStatus('ready');
  });
  afterAll(() => deployment[Symbol.asyncDispose]());

  it('the text is exact, and accepted tokens are counted', async () => {
    const first = await tell(deployment, 'long story');
    expect(storyText('long story').startsWith(first)).toBe(true);
    const before = await countsOf(deployment);
    expect(await tell(deployment, 'long story')).toBe(first);
    await waitFor('the accepted tokens', async () => {
      const { drafted, accepted } = await countsOf(deployment);
      expect(drafted).toBeGreaterThanOrEqual(accepted);
      return accepted - before.accepted > 500;
    });
    await waitFor('the status to have the counts', async () => {
      const { method, acceptedTokens = 0 } = (await speculationOf(deployment)) ?? {};
      return method === 'ngram' && acceptedTokens > 500;
    });
  });

  it('a stream is continued exactly when the engine is killed', async () => {
    const whole = await tell(deployment, 'long story');
    const [engine] = deployment.children();
    let wasKilled = false;
    const text = await tell(deployment, 'long story', (soFar) => {
      if (wasKilled || soFar.length < 2000) return;
      wasKilled = true;
      killProcess(engine, 'SIGKILL');
    });
    expect(wasKilled).toBe(true);
    expect(text).toBe(whole);
    expect(storyText('long story').startsWith(whole)).toBe(true);
    await deployment.reachesStatus('ready');
  });

  it('a restart turns it off, and names what it cannot do', async () => {
    const restart = async (changes: object) => {
      const headers = { 'x-api-key': secret };
      const body = JSON.stringify(changes);
      const response = await fetch(`${originOf(deployment)}/admin/restart`, {
        method: 'POST',
        headers,
        body,
      });
      return `${response.status} ${await response.text()}`;
    };
    expect(await restart({ SPECULATE: 'draft' })).toMatch(/^400 .*SPECULATE: .*needs a draft model/);
    expect(await restart({ SPECULATE: 'mtp' })).toMatch(/^400 .*SPECULATE: the model has no MTP layers/);
    expect(await restart({ EXTRA_ARGS: '--spec-type ngram-simple' })).toMatch(
      /^400 .*says the same as SPECULATE/,
    );
    expect(await restart({ SPECULATE: 'off' })).toMatch(/^202 /);
    await waitFor('speculation to be off', async () => {
      const { standing } = await deployment.status();
      return standing === 'ready' && (await speculationOf(deployment)) === undefined;
    });
    expect(await tell(deployment, 'keys')).toBe(storyText('keys'));
  });
});

it('a draft model drafts', async () => {
  await using deployment = await start({ DRAFT_MODEL: inject('demoModel') });
  await deployment.reachesStatus('ready');
  expect(storyText('long story').startsWith(await tell(deployment, 'long story'))).toBe(true);
  await waitFor('the accepted tokens', async () => (await countsOf(deployment)).accepted > 50);
  expect(await speculationOf(deployment)).toMatchObject({ method: 'draft' });
});

it.each([
  [{ SPECULATE: 'draft' }, /SPECULATE: "draft" needs a draft model; set DRAFT_MODEL/],
  [{ SPECULATE: 'mtp' }, /SPECULATE: the model has no MTP layers/],
  [
    { SPECULATE: 'ngram', EXTRA_ARGS: '--spec-default' },
    /EXTRA_ARGS: --spec-default says the same as SPECULATE/,
  ],
  [{ SPECULATE: 'fast' }, /SPECULATE: invalid value "fast"/],
])('%j does not start', async (env, message) => {
  await using deployment = await start(env);
  expect(await deployment.exitCode()).toBe(2);
  expect(deployment.output()).toMatch(message);
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../../scripts/project-folders.ts';
import { type BatchRequest, chatLine, chatLines, storyOf } from '../../harness/batches.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { runCorral } from '../../harness/run-corral.ts';
import { type BatchDeployment, defaultKeys, startBatchRunner } from '../../harness/start-batch-runner.ts';
import { type TemporaryFolder, temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

let product: BatchDeployment;
let folder: TemporaryFolder;
beforeAll(async () => {
  product = await startBatchRunner({ env: { COST_PER_HOUR: '2' } });
  folder = await temporaryFolder();
});
afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

const env = () => ({ CORRAL_API_KEY: defaultKeys.app.secret });
const gateway = () => ['--gateway', `http://127.0.0.1:${product.deployment.gatewayPort}`];
const corral = (...args: string[]) => runCorral(['batch', ...args, ...gateway()], env());

async function writeInput(name: string, lines: readonly BatchRequest[]): Promise<string> {
  const file = folder.file(name);
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return file;
}

/** The terminal makes a signal of it. */
const CONTROL_C = '\u0003';

const batchIn = (text: string) => /batch_[0-9a-f]{32}/.exec(text)?.[0] ?? '';

/** Runs it in a terminal of its own, which `script` of util-linux provides. */
function inTerminal(...args: string[]) {
  const words = [process.execPath, join(projectFolder, 'cli/corral.ts'), 'batch', ...args, ...gateway()];
  const command = words.map((word) => `'${word}'`).join(' ');
  return execa('script', ['-qefc', `stty cols 200; exec ${command}`, '/dev/null'], {
    env: { ...env(), PATH: process.env.PATH },
    reject: false,
    stdin: 'pipe',
  });
}

describe('corral batch with the real product', () => {
  it('submit waits, saves what succeeded and what failed, and list, show and results agree', async () => {
    const bad = { custom_id: 'bad', ...chatLine({ messages: 'none' }) };
    const input = await writeInput('in.jsonl', [...chatLines(12), bad]);
    const [output, errors] = [folder.file('out.jsonl'), folder.file('err.jsonl')];
    const outcome = await corral(
      'submit',
      input,
      '--metadata',
      'for=tests',
      '--output',
      output,
      '--errors',
      errors,
    );
    expect(outcome, outcome.stderr).toMatchObject({ status: 3 });
    expect(outcome.stderr).toContain('completed: 12 of 13 lines succeeded, 1 failed; ');
    const results = (await readFile(output, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(results).toHaveLength(12);
    for (const { custom_id: id, response } of results)
      expect(response.body.choices[0].message.content).toBe(storyOf(Number(id.split('-')[1])).text);
    const [failed] = (await readFile(errors, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(failed).toMatchObject({ custom_id: 'bad', response: { status_code: 400 } });

    const id = batchIn(outcome.stdout);
    expect((await corral('list')).stdout).toMatch(new RegExp(`^${id} +completed +13 +1 +13 +demo`, 'm'));
    const { stdout: shown } = await corral('show', id);
    expect(shown).toMatch(/^lines +13: 12 succeeded, 1 failed$/m);
    expect(shown).toMatch(/^cost +at most \d/m);
    expect(shown).toMatch(/^metadata\.for +tests$/m);
    const metrics = await fetch(`${gateway()[1]}/metrics`).then((response) => response.text());
    for (const line of [
      'corral_batch_lines_total{result="completed"} 12',
      'corral_batches{status="completed"} 1',
    ])
      expect(metrics.split('\n')).toContain(line);
    expect(metrics.split('\n')).toContain('corral_runner_up 1');
    expect((await corral('results', id)).stdout).toBe((await readFile(output, 'utf8')).trim());
  });

  it('a terminal shows a bar; Ctrl-C leaves the batch running, and show --wait comes back to it', async () => {
    const input = await writeInput('long.jsonl', chatLines(400, 'long'));
    const terminal = inTerminal('submit', input, '--wait');
    let seen = '';
    terminal.stdout.on('data', (chunk) => {
      seen += chunk;
    });
    await waitFor('the bar', () =>
      /█.* of 400 .*tokens\/s.*left +cost ≤ /.test(stripVTControlCharacters(seen)),
    );
    terminal.stdin.write(CONTROL_C);
    const { exitCode } = await terminal;
    const id = batchIn(seen);
    expect(exitCode).toBe(130);
    expect(seen).toContain(`${id} goes on. To wait for it again: corral batch show ${id} --wait`);
    expect(product.store.batches.get('app', id)?.status).toBe('in_progress');

    const waiting = corral('show', id, '--wait');
    await waitFor('the wait to have begun', () => product.store.batches.get('app', id)?.counts.completed);
    expect(await corral('cancel', id)).toMatchObject({ status: 0 });
    expect(await waiting).toMatchObject({ status: 4, stderr: expect.stringContaining('cancelled: ') });
    expect((await corral('results', id)).stdout).toContain('"custom_id":"long-');
  });

  it('a restart of the gateway does not end the wait', async () => {
    const input = await writeInput('restart.jsonl', chatLines(60, 'restart'));
    const waiting = corral('submit', input, '--wait');
    await waitFor('a line to have ended', () => {
      const [batch] = product.store.batches.open();
      return batch !== undefined && batch.counts.completed > 0;
    });
    killProcess(product.pidOf('gateway'), 'SIGKILL');
    const outcome = await waiting;
    expect(outcome, outcome.stderr).toMatchObject({ status: 0 });
    expect(outcome.stderr).toContain('completed: 60 of 60 lines succeeded, 0 failed');
  });

  it('the key must have the scope, and another key sees nothing', async () => {
    product.setKeys({
      ...defaultKeys,
      other: { secret: 'sk-other-0123456789abcdef' },
      chat: { secret: 'sk-chat-0123456789abcdef', scopes: ['inference'] },
    });
    const asOther = { CORRAL_API_KEY: 'sk-other-0123456789abcdef' };
    await waitFor(
      'the keys',
      async () => (await runCorral(['batch', 'list', ...gateway()], asOther)).status === 0,
    );
    expect((await corral('list')).stdout).toContain('batch_');
    expect((await runCorral(['batch', 'list', ...gateway()], asOther)).stdout).toBe('');
    const refused = await runCorral(['batch', 'list', ...gateway()], {
      CORRAL_API_KEY: 'sk-chat-0123456789abcdef',
    });
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('the key has no scope batch'),
    });
  });
});

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const procEntries = (pid: number, what: 'cmdline' | 'environ') =>
  readFileSync(`/proc/${pid}/${what}`, 'utf8').split('\0');

it('the backend key is only in the environments of the children, not in arguments or log lines', async () => {
  await using deployment = await startDeployment({
    env: { HF_TOKEN: 'hf_of_the_operator', LLAMA_ARG_CTX_SIZE: '1' },
  });
  await deployment.reachesStatus('ready');
  await waitFor('the first token', () => deployment.output().includes('first token received'));
  const [engine = 0, gateway = 0] = deployment.children();
  const key = procEntries(engine, 'environ')
    .find((entry) => entry.startsWith('LLAMA_API_KEY='))
    ?.slice('LLAMA_API_KEY='.length);
  expect(key).toMatch(/^[\w-]{43}$/);
  expect(procEntries(gateway, 'environ')).toContain(`BACKEND_API_KEY=${key}`);
  const shown = [engine, gateway].flatMap((pid) => procEntries(pid, 'cmdline')).concat(deployment.output());
  expect(shown.filter((text) => text.includes(key ?? ''))).toEqual([]);
  expect(procEntries(engine, 'environ').join()).not.toMatch(/hf_of_the_operator|LLAMA_ARG/);
});

import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { sourceText } from '../../harness/source-text.ts';
import { isRunning } from '../../harness/start-deployment.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { startGatewayProcess } from '../../harness/start-gateway-process.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

const fakeSmi = join(import.meta.dirname, '../../fakes/fake-nvidia-smi.ts');
const completion = JSON.stringify({
  choices: [{ message: { content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 30, completion_tokens: 20 },
  timings: { cache_n: 10, prompt_n: 20, predicted_n: 20 },
});

it('GPU metrics, energy per token and cost per token appear in /metrics', async () => {
  await using folder = await temporaryFolder();
  const program = folder.file('nvidia-smi-steady');
  symlinkSync(fakeSmi, program);
  await using backend = await startFakeBackend((_request, response) => response.end(completion));
  await using corral = await startTestGateway({
    backend: backend.backend,
    env: { NVIDIA_SMI: program, GPU_INTERVAL: '50ms', COST_PER_HOUR: '2.5', METRICS_AUTH_ENABLED: 'false' },
  });
  await waitFor('both GPUs', () => corral.gateway.gpus.samples.length === 2);
  await waitFor('some energy', () => (corral.gateway.gpus.energy.total ?? 0) > 0);
  const response = await fetch(`${corral.origin}/v1/embeddings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${corral.secret}`, 'content-type': 'application/json' },
    body: '{"input":"x","model":"m"}',
  });
  expect(await response.json()).toMatchObject({ usage: { prompt_tokens: 30 } });
  const page = await waitFor('the cost of a token', async () => {
    const text = await (await fetch(`${corral.origin}/metrics`)).text();
    return text.includes('corral_key_energy_per_token_joules{') && text;
  });
  for (const line of [
    'corral_gpus 2',
    'corral_gpu_utilization_ratio{gpu="1"} 0.5',
    `corral_gpu_memory_used_bytes{gpu="0"} ${1024 * 1024 ** 2}`,
    'corral_gpu_power_watts{gpu="1"} 200',
  ])
    expect(page).toContain(`${line}\n`);
  expect(page).toMatch(
    /corral_gpu_info\{gpu="0",uuid="GPU-[^"]+0",name="NVIDIA Fake",driver="580\.95\.05"\} 1\n/,
  );
  expect(page).toMatch(/corral_gpu_energy_joules_total\{gpu="0"\} \d/);
  expect(page).toMatch(/corral_energy_per_token_joules\{tokens="processed"\} \d/);
  expect(page).toMatch(/corral_cost_per_million_tokens\{tokens="processed"\} \d/);
  expect(page).toMatch(/corral_key_cost_per_million_tokens\{key="tester",tokens="processed"\} \d/);
  expect(page).not.toContain(`${sourceText('corral_gpu_fan_ratio')}{`);
  expect(page).not.toContain('corral_gpu_trouble{');
  const pid = Number(readFileSync(folder.file('started'), 'utf8'));
  await corral.stop();
  await waitFor('nvidia-smi to exit', () => !isRunning(pid));
});

it('a machine without a GPU gets one log line', async () => {
  await using backend = await startFakeBackend((_request, response) => response.end('{}'));
  await using corral = await startTestGateway({
    backend: backend.backend,
    env: { NVIDIA_SMI: 'no-such-nvidia-smi', METRICS_AUTH_ENABLED: 'false' },
  });
  const page = await (await fetch(`${corral.origin}/metrics`)).text();
  expect(page).toContain('corral_gpus 0\n');
  expect(page).toContain('corral_gpu_trouble{trouble="absent"} 1\n');
  expect(page).not.toContain('corral_gpu_power_watts{');
  expect(corral.logged.filter(({ msg }) => String(msg).includes('nvidia-smi'))).toHaveLength(1);
});

it('GPU_METRICS=off turns GPU monitoring off', async () => {
  await using backend = await startFakeBackend((_request, response) => response.end('{}'));
  await using corral = await startTestGateway({ backend: backend.backend, env: { GPU_METRICS: 'off' } });
  expect(corral.gateway.gpus).toMatchObject({ samples: [], trouble: undefined });
  expect(JSON.stringify(corral.logged)).not.toContain('nvidia-smi');
});

it('nvidia-smi exits when the gateway is killed', async () => {
  await using folder = await temporaryFolder();
  const program = folder.file('nvidia-smi-steady');
  symlinkSync(fakeSmi, program);
  await using backend = await startFakeBackend((_request, response) => response.end('{}'));
  const env = { NVIDIA_SMI: program, GPU_INTERVAL: '50ms', AUTH_ENABLED: 'false', DATA_DIR: folder.path };
  await using gateway = await startGatewayProcess(backend.backend, env);
  const pid = await waitFor('nvidia-smi to start', () =>
    Number(readFileSync(folder.file('started'), 'utf8')),
  );
  expect(isRunning(pid)).toBe(true);
  await gateway.kill();
  await waitFor('nvidia-smi to exit', () => !isRunning(pid));
});

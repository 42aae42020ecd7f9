import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectFolder } from '../../scripts/project-folders.ts';
import { killProcess } from '../harness/child-processes.ts';
import { keyFileText } from '../harness/key-file-text.ts';
import { type Product, startProduct } from '../harness/start-product.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz`;

/** The keys on the screenshots. */
export const shownKeys = {
  'web-app': { secret: secretOf('web-app'), priority: 'high', limits: { tokensPerDay: 150_000 } },
  'night-batch': { secret: secretOf('night-batch'), priority: 'low', limits: { tokensPerDay: 60_000 } },
  research: { secret: secretOf('research') },
  ops: { secret: secretOf('ops'), scopes: ['admin'] },
} as const;

/** The product with four slots, two fake GPUs and a price. */
export function startShownProduct(): Promise<Product> {
  return startProduct((folder) => {
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data/keys.json'), keyFileText(shownKeys), { mode: 0o600 });
    const nvidiaSmi = join(folder, 'nvidia-smi-steady');
    symlinkSync(join(projectFolder, 'test/fakes/fake-nvidia-smi.ts'), nvidiaSmi);
    return {
      TMPDIR: folder,
      PARALLEL: '4',
      COST_PER_HOUR: '2.49',
      NVIDIA_SMI: nvidiaSmi,
      LOG_LEVEL: 'warn',
      MODEL_ALIAS: 'demo',
    };
  });
}

/** Kills llama-server, as the kernel does when memory runs out. */
export function killEngine({ folder }: Product): void {
  for (const file of globSync('corral-*/owner.json', { cwd: folder })) {
    const { children } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    killProcess(children[0].pid, 'SIGKILL');
  }
}

interface ClientGroup {
  readonly key: keyof typeof shownKeys;
  readonly topic: string;
  /** The maximum number of clients. */
  readonly clients: number;
}

const groups: readonly ClientGroup[] = [
  { key: 'web-app', topic: 'streams', clients: 5 },
  { key: 'research', topic: 'long story', clients: 2 },
  { key: 'night-batch', topic: 'survival', clients: 4 },
];

/** Runs clients whose number goes up and down, until the signal aborts. */
export async function generateTraffic({ origin }: Product, signal: AbortSignal): Promise<void> {
  const clients = groups.flatMap((group) =>
    Array.from({ length: group.clients }, (_, index) => runClient(origin, group, index, signal)),
  );
  await Promise.all(clients);
}

async function runClient(
  origin: string,
  group: ClientGroup,
  index: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const activity = (1 + Math.sin(performance.now() / 9000 + group.clients)) / 2;
    if (index < 1 + activity * group.clients) await sendChat(origin, group, signal).catch(() => {});
    await sleep(150 + Math.random() * 900 * (2 - activity), undefined, { signal }).catch(() => {});
  }
}

async function sendChat(origin: string, { key, topic }: ClientGroup, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-api-key': shownKeys[key].secret, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', stream: true, messages: [{ role: 'user', content: topic }] }),
    signal,
  });
  for await (const _ of response.body ?? []);
}

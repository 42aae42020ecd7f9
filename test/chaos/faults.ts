import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { HOUR } from '../../settings/durations.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { ChaosProduct } from './product.ts';

/** `inject` resolves when the product has recovered. */
export interface Fault {
  readonly name: string;
  readonly inject: (product: ChaosProduct) => Promise<void>;
}

/** Sends a signal to llama-server and waits until a new one is ready. */
function engineSignal(signal: NodeJS.Signals): Fault {
  return {
    name: `${signal} to llama-server`,
    async inject(product) {
      const pid = product.pidOf('llama-server');
      if (pid === undefined) return;
      process.kill(pid, signal);
      await waitFor('another llama-server', () => ![undefined, pid].includes(product.pidOf('llama-server')));
      await waitUntilReady(product);
    },
  };
}

/** The new llama-server is killed, too, before it has loaded the model. */
const killWhileLoading: Fault = {
  name: 'SIGKILL to llama-server, and to the next one while it starts',
  async inject(product) {
    const first = product.pidOf('llama-server');
    if (first === undefined) return;
    process.kill(first, 'SIGKILL');
    const second = await waitFor('another llama-server', () => {
      const pid = product.pidOf('llama-server');
      return pid === first ? undefined : pid;
    });
    process.kill(second, 'SIGKILL');
    await waitFor(
      'a third llama-server',
      () => ![undefined, first, second].includes(product.pidOf('llama-server')),
    );
    await waitUntilReady(product);
  },
};

const breakKeyFile: Fault = {
  name: 'an invalid key file',
  async inject(product) {
    const good = readFileSync(product.keyFile, 'utf8');
    writeFileSync(product.keyFile, '{"version": 1, "keys": [');
    try {
      await waitFor(
        'the gateway to read the invalid file',
        async () => (await health(product)).keys?.problem === true,
      );
    } finally {
      writeFileSync(product.keyFile, good);
    }
    await waitFor(
      'the gateway to read the valid file',
      async () => (await health(product)).keys?.problem !== true,
    );
  },
};

/** All writes of our processes fail, as on a full disk, while the engine restarts. */
const fillDisk: Fault = {
  name: 'a full disk, and SIGKILL to llama-server',
  async inject(product) {
    const pids = [product.process.pid, product.pidOf('gateway')].filter((pid) => pid !== undefined);
    for (const pid of pids) limitFileSize(pid, '0');
    try {
      await engineSignal('SIGKILL').inject(product);
    } finally {
      for (const pid of pids) limitFileSize(pid, 'unlimited');
    }
  },
};

function limitFileSize(pid: number, size: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${size}:unlimited`]);
}

/** The clock jumps, as after a suspend and when it is corrected. */
const clockJump: Fault = {
  name: 'a clock one hour ahead, then one hour behind, and SIGKILL to llama-server',
  async inject(product) {
    try {
      for (const hours of [1, -1]) {
        product.shiftClock(hours * HOUR);
        await engineSignal('SIGKILL').inject(product);
      }
    } finally {
      product.shiftClock(0);
    }
  },
};

/** Open responses break; then a new gateway is ready. */
export const killGateway: Fault = {
  name: 'SIGKILL to the gateway',
  async inject(product) {
    const pid = product.pidOf('gateway');
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    await waitFor('another gateway', () => ![undefined, pid].includes(product.pidOf('gateway')));
    await waitUntilReady(product);
  },
};

export const engineFaults: readonly Fault[] = [
  engineSignal('SIGKILL'),
  engineSignal('SIGSEGV'),
  killWhileLoading,
  engineSignal('SIGSTOP'),
  breakKeyFile,
  engineSignal('SIGABRT'),
  fillDisk,
  clockJump,
];

async function waitUntilReady(product: ChaosProduct): Promise<void> {
  const isReady = async () => (await fetch(`${product.healthOrigin}/readyz`)).ok;
  await waitFor('the product to be ready again', isReady);
}

interface Health {
  readonly keys?: { readonly problem?: boolean };
}

async function health({ origin }: ChaosProduct): Promise<Health> {
  return (await (await fetch(`${origin}/health`)).json()) as Health;
}

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { HOUR } from '../../settings/durations.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { ChaosProduct } from './product.ts';

/** Something that goes wrong, and is over when it settles. */
export interface Fault {
  readonly name: string;
  readonly strike: (product: ChaosProduct) => Promise<void>;
}

/** llama-server gets a signal, and a new one serves. */
function engineSignal(signal: NodeJS.Signals): Fault {
  return {
    name: `${signal} to llama-server`,
    async strike(product) {
      const pid = product.pidOf('llama-server');
      if (pid === undefined) return;
      process.kill(pid, signal);
      await waitFor('another llama-server', () => ![undefined, pid].includes(product.pidOf('llama-server')));
      await ready(product);
    },
  };
}

/** A new one dies as soon as it is there, before it has loaded the model. */
const killWhileLoading: Fault = {
  name: 'SIGKILL to llama-server, and to the next as it comes up',
  async strike(product) {
    const first = product.pidOf('llama-server');
    if (first === undefined) return;
    process.kill(first, 'SIGKILL');
    const second = await waitFor('another llama-server', () => {
      const pid = product.pidOf('llama-server');
      return pid === first ? undefined : pid;
    });
    process.kill(second, 'SIGKILL');
    await waitFor('a third one', () => ![undefined, first, second].includes(product.pidOf('llama-server')));
    await ready(product);
  },
};

const breakKeyFile: Fault = {
  name: 'a key file that makes no sense',
  async strike(product) {
    const good = readFileSync(product.keyFile, 'utf8');
    writeFileSync(product.keyFile, '{"version": 1, "keys": [');
    try {
      await waitFor('the gateway to see it', async () => (await health(product)).keys?.problem === true);
    } finally {
      writeFileSync(product.keyFile, good);
    }
    await waitFor('the gateway to see it mended', async () => (await health(product)).keys?.problem !== true);
  },
};

/** As on a full disk, no write succeeds, in any of our processes, while an engine dies and another comes. */
const fillDisk: Fault = {
  name: 'a full disk, and SIGKILL to llama-server',
  async strike(product) {
    const pids = [product.process.pid, product.pidOf('gateway')].filter((pid) => pid !== undefined);
    for (const pid of pids) limitFileSize(pid, '0');
    try {
      await engineSignal('SIGKILL').strike(product);
    } finally {
      for (const pid of pids) limitFileSize(pid, 'unlimited');
    }
  },
};

function limitFileSize(pid: number, size: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${size}:unlimited`]);
}

/** As on a machine that was put to sleep and wakes, and as when somebody sets the clock right. */
const jumpInTime: Fault = {
  name: 'a clock an hour ahead and then an hour behind, and SIGKILL to llama-server',
  async strike(product) {
    try {
      for (const hours of [1, -1]) {
        product.shiftClock(hours * HOUR);
        await engineSignal('SIGKILL').strike(product);
      }
    } finally {
      product.shiftClock(0);
    }
  },
};

/** Whatever was open at the gateway breaks; afterwards all is well. */
export const killGateway: Fault = {
  name: 'SIGKILL to the gateway',
  async strike(product) {
    const pid = product.pidOf('gateway');
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    await waitFor('another gateway', () => ![undefined, pid].includes(product.pidOf('gateway')));
    await ready(product);
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
  jumpInTime,
];

async function ready(product: ChaosProduct): Promise<void> {
  const isReady = async () => (await fetch(`${product.healthOrigin}/readyz`)).ok;
  await waitFor('the product to be ready again', isReady);
}

interface Health {
  readonly keys?: { readonly problem?: boolean };
}

async function health({ origin }: ChaosProduct): Promise<Health> {
  return (await (await fetch(`${origin}/health`)).json()) as Health;
}

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { HOUR } from '../../settings/durations.ts';
import { killProcess } from '../harness/child-processes.ts';
import { isRunning } from '../harness/start-deployment.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { ChaosProduct } from './product.ts';

/** `inject` resolves when the product has recovered. */
export interface Fault {
  readonly name: string;
  /** A model that it takes away until it has recovered. */
  readonly takesAway?: string;
  readonly inject: (product: ChaosProduct) => Promise<void>;
}

/** A llama-server that is stopped before it accepts connections counts as hung after a minute (`startupGraceMs`). */
const endWithin = { within: 120_000 };

/** Sends a signal to a llama-server and waits until the product serves again. */
function engineSignal(signal: NodeJS.Signals): Fault {
  return {
    name: `${signal} to llama-server`,
    async inject(product) {
      const pid = await anyEngine(product);
      killProcess(pid, signal);
      await waitFor('its end', () => !isRunning(pid), endWithin);
      await waitUntilServing(product);
    },
  };
}

/** The next llama-server is killed, too, before it has loaded the model. */
const killWhileLoading: Fault = {
  name: 'SIGKILL to llama-server, and to the next one while it starts',
  async inject(product) {
    const known = product.enginePids();
    killProcess(await anyEngine(product), 'SIGKILL');
    const next = await waitFor('another llama-server', () =>
      product.enginePids().find((pid) => !known.includes(pid)),
    );
    killProcess(next, 'SIGKILL');
    await waitFor('its end', () => !isRunning(next));
    await waitUntilServing(product);
  },
};

/** The pid of one of the running llama-servers, chosen at random. */
async function anyEngine(product: ChaosProduct): Promise<number> {
  return waitFor('a llama-server', () => {
    const pids = product.enginePids();
    return pids[Math.floor(Math.random() * pids.length)];
  });
}

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
    const pids = [product.process.pid, product.gatewayPid()].filter((pid) => pid !== undefined);
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
    const pid = product.gatewayPid();
    if (pid === undefined) return;
    killProcess(pid, 'SIGKILL');
    await waitFor('another gateway', () => ![undefined, pid].includes(product.gatewayPid()));
    await waitUntilServing(product);
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

async function waitUntilServing(product: ChaosProduct): Promise<void> {
  await waitFor(
    'the product to be ready again',
    async () => product.enginePids().length > 0 && (await fetch(`${product.healthOrigin}/readyz`)).ok,
  );
}

interface Health {
  readonly keys?: { readonly problem?: boolean };
}

async function health({ origin }: ChaosProduct): Promise<Health> {
  return (await (await fetch(`${origin}/health`)).json()) as Health;
}

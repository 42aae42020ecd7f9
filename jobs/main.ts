import { join } from 'node:path';
import { type Client, MISCONFIGURED, runClient } from '../client/run-client.ts';
import { withFileLock } from '../fs/file-lock.ts';
import type { RunnerMessage } from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import { StoreError, StoreUnavailable } from '../store/errors.ts';
import { openStore } from '../store/store.ts';
import { type RunnerConfig, runnerConfig } from './config.ts';
import { Runner } from './runner.ts';

/** The runner, once no other process is the runner of this folder: each line and each response would run twice. */
class OnlyRunner implements Client {
  readonly #config: RunnerConfig;
  readonly #log: Log;
  #runner: Runner | undefined;

  constructor(config: RunnerConfig, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  async run(): Promise<void> {
    const lock = join(this.#config.store.folder, 'runner.lock');
    await withFileLock(lock, () => this.#runBatches(), {
      timeoutMs: Number.POSITIVE_INFINITY,
      onWait: () => {
        this.#log.info({ lock }, 'waiting: another deployment runs the batches of this folder');
        // They are no reason for this one to stay awake.
        reportJobs(false);
      },
    });
  }

  stop(): void {
    if (this.#runner === undefined) process.exit();
    this.#runner.stop();
  }

  async #runBatches(): Promise<void> {
    const [config, log] = [this.#config, this.#log];
    try {
      using store = openStore(config.store, { role: 'runner' });
      this.#runner = new Runner({ config, store, log, onJobs: reportJobs });
      await this.#runner.run();
    } catch (error) {
      if (!isPermanent(error)) throw error;
      process.stderr.write(`${error.message}\n`);
      process.exitCode = MISCONFIGURED;
    }
  }
}

/** Another attempt would fail in the same way. */
const isPermanent = (error: unknown): error is Error =>
  error instanceof StoreError || (error instanceof StoreUnavailable && error.reason === 'damaged');

function reportJobs(hasJobs: boolean): void {
  const message: RunnerMessage = { hasJobs };
  process.send?.(message, () => {});
}

if (import.meta.main)
  await runClient(process.env, {
    name: 'runner',
    stopping: 'shutting down: no more lines are begun',
    configure: runnerConfig,
    create: (config, log) => new OnlyRunner(config, log),
  });

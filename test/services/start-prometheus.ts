import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { freePort } from '../harness/free-port.ts';
import { waitFor } from '../harness/wait-for.ts';

/** One series as Prometheus answers: a value now, or `values` where a time was asked for, each with its second. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

/** A real Prometheus that follows one machine, set up by the files of docker/prometheus. */
export interface RunningPrometheus extends AsyncDisposable {
  /** Throws what Prometheus has to say against the expression. */
  query(expression: string): Promise<readonly Series[]>;
  /** The value of an expression that has one; undefined where it has none. */
  value(expression: string): Promise<number | undefined>;
  /** What another path of the API answers. */
  ask<T>(path: string): Promise<T>;
}

export interface Followed {
  /** `host:port` */
  readonly target: string;
  readonly secret: string;
  readonly scrapeInterval: string;
}

const shipped = join(import.meta.dirname, '../../docker/prometheus');

export async function startPrometheus(
  program: ProgramCommand,
  followed: Followed,
): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'corral-prometheus-'));
  const port = await freePort();
  writeConfiguration(folder, followed);
  const child = execa(
    program.command,
    [
      ...[...program.args, `--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`],
      ...[`--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'],
    ],
    { all: true, stdin: 'ignore', reject: false, cwd: folder },
  );
  const origin = `http://127.0.0.1:${port}`;
  await waitFor('Prometheus to be ready', () => fetch(`${origin}/-/ready`).then(({ ok }) => ok));
  const ask = async <T>(path: string) => {
    const answer = (await (await fetch(`${origin}/api/v1/${path}`)).json()) as Answer<T>;
    if (answer.status !== 'success') throw new Error(answer.error);
    return answer.data;
  };
  const query = async (expression: string) =>
    (await ask<{ result: Series[] }>(`query?${new URLSearchParams({ query: expression })}`)).result;
  return {
    ask,
    query,
    async value(expression) {
      const found = (await query(expression))[0]?.value?.[1];
      return found === undefined ? undefined : Number(found);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await child;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Answer<T> =
  | { readonly status: 'success'; readonly data: T }
  | { readonly status: 'error'; readonly error: string };

function writeConfiguration(folder: string, { target, secret, scrapeInterval }: Followed): void {
  const text = readFileSync(join(shipped, 'prometheus.yml'), 'utf8');
  const ours = text
    .replace('localhost:8000', target)
    .replaceAll('interval: 15s', `interval: ${scrapeInterval}`);
  writeFileSync(join(folder, 'prometheus.yml'), ours);
  writeFileSync(join(folder, 'corral.key'), `${secret}\n`, { mode: 0o600 });
  cpSync(join(shipped, 'alerts.yml'), join(folder, 'alerts.yml'));
}

import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { freePort } from '../harness/free-port.ts';
import { removeFolder } from '../harness/temporary-folder.ts';
import { waitFor } from '../harness/wait-for.ts';

/** A series: an instant `value`, or the `values` of a range, each with its timestamp in seconds. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

/** A real Prometheus that scrapes one target, with the configuration of docker/prometheus. */
export interface RunningPrometheus extends AsyncDisposable {
  /** Throws the error of an invalid expression. */
  query(expression: string): Promise<readonly Series[]>;
  /** The value of an expression; undefined without a result. */
  value(expression: string): Promise<number | undefined>;
  /** Requests another path of the API. */
  request<T>(path: string): Promise<T>;
}

export interface ScrapeTarget {
  /** `host:port` */
  readonly target: string;
  readonly secret: string;
  readonly scrapeInterval: string;
}

const shipped = join(import.meta.dirname, '../../docker/prometheus');

export async function startPrometheus(
  program: ProgramCommand,
  scraped: ScrapeTarget,
): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'corral-prometheus-'));
  const port = await freePort();
  writeConfiguration(folder, scraped);
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
  const request = async <T>(path: string) => {
    const response = (await (await fetch(`${origin}/api/v1/${path}`)).json()) as ApiResponse<T>;
    if (response.status !== 'success') throw new Error(response.error);
    return response.data;
  };
  const query = async (expression: string) =>
    (await request<{ result: Series[] }>(`query?${new URLSearchParams({ query: expression })}`)).result;
  return {
    request,
    query,
    async value(expression) {
      const found = (await query(expression))[0]?.value?.[1];
      return found === undefined ? undefined : Number(found);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await child;
      await removeFolder(folder);
    },
  };
}

type ApiResponse<T> =
  | { readonly status: 'success'; readonly data: T }
  | { readonly status: 'error'; readonly error: string };

function writeConfiguration(folder: string, { target, secret, scrapeInterval }: ScrapeTarget): void {
  const text = readFileSync(join(shipped, 'prometheus.yml'), 'utf8');
  const adapted = text
    .replace('localhost:8000', target)
    .replaceAll('interval: 15s', `interval: ${scrapeInterval}`);
  writeFileSync(join(folder, 'prometheus.yml'), adapted);
  writeFileSync(join(folder, 'corral.key'), `${secret}\n`, { mode: 0o600 });
  cpSync(join(shipped, 'alerts.yml'), join(folder, 'alerts.yml'));
}

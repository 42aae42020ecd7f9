import type { CrashRecord } from '../../health/crash-records.ts';
import packageFile from '../../package.json' with { type: 'json' };
import type { ChildCrash } from '../deployment.ts';
import { decisiveLine } from './crash-class.ts';
import { crashHint } from './crash-hints.ts';

/** What is kept of an end; `build` is what llama-server says of itself. */
export function createCrashRecord(
  { who, end, crash, wasReady, restartInMs }: ChildCrash,
  { at, build }: { readonly at: Date; readonly build: string | undefined },
): CrashRecord {
  const [command = '', ...args] = end.commandLine;
  return {
    at: at.toISOString(),
    who,
    class: crash,
    cure: crashHint(who, crash),
    code: end.code,
    signal: end.signal,
    ranForMs: end.ranForMs,
    wasReady,
    restartInMs: restartInMs === undefined ? null : Math.max(0, Math.round(restartInMs)),
    tellingLine: end.spawnError?.message ?? decisiveLine(end) ?? null,
    lastLines: end.lastLines,
    command,
    arguments: args,
    versions: { corral: packageFile.version, node: process.version, 'llama-server': build ?? null },
  };
}

import { resolve } from 'node:path';
import { Command } from 'commander';
import { registryFilePath } from '../models/registry-file.ts';
import { readSettings, type SettingsResult } from '../settings/read-settings.ts';
import type { Variable } from '../settings/variable.ts';
import { type Settings, type VariableName, variables } from '../settings/variables.ts';
import { resolveDataDir } from '../supervisor/data-dir.ts';
import { modelsFolder } from '../supervisor/models-file.ts';
import { defaultHost, detectPlatform } from '../supervisor/platform/platform.ts';
import { resolveKeyFile } from './keys/options.ts';
import { jsonOption } from './options.ts';
import { align, writeJson, writeStderr, writeStdout } from './output.ts';

const notes = `
Those that are set come first. "computed" is what "corral serve" would use here, and depends on the machine. Values are those
of this environment: a service that is started elsewhere may have others (docker exec, systemctl show, kubectl exec).`;

/** `corral config`: shows every variable with its value and source. */
export function configCommand(): Command {
  return new Command('config')
    .description('show every variable with its value and source; secrets are masked')
    .addOption(jsonOption())
    .option('--all', 'include unset variables without a default')
    .addHelpText('after', notes)
    .action(({ json, all }: { json?: true; all?: true }) => {
      const reading = readSettings(process.env);
      const rows = rowsOf(reading);
      if (json) writeJson(rows);
      else writeStdout(table(rows.filter(({ value }) => all || value !== undefined)));
      for (const message of [...reading.warnings, ...reading.problems.map(({ message }) => message)])
        writeStderr(message);
      if (reading.problems.length > 0) process.exitCode = 2;
    });
}

interface Row {
  readonly variable: string;
  /** Undefined if the variable is unset and its default is found at run time. */
  readonly value: string | undefined;
  readonly from: string;
}

function rowsOf({ settings, sources }: SettingsResult): Row[] {
  const computed = computedValues(settings);
  return (Object.entries(variables) as [VariableName, Variable][]).map(([variable, { kind, secret }]) => {
    const value = settings[variable];
    const found = computed[variable];
    if (value === undefined && found !== undefined) return { variable, value: found, from: 'computed' };
    const shown = value === undefined ? undefined : secret ? '********' : kind.format(value);
    return { variable, value: shown, from: sources[variable] };
  });
}

/** Defaults that depend on the machine and on other variables. */
function computedValues(settings: Settings): Partial<Record<VariableName, string>> {
  const dataDir = resolve(resolveDataDir(settings.DATA_DIR));
  return {
    HOST: defaultHost(detectPlatform(process.env)),
    DATA_DIR: dataDir,
    MODELS_DIR: modelsFolder(settings, dataDir),
    MODELS_FILE: registryFilePath({ MODELS_FILE: settings.MODELS_FILE, dataDir }),
    AUTH_KEYS_FILE: resolveKeyFile(undefined),
    MAX_QUEUE_PER_KEY: String(settings.MAX_QUEUE_SIZE),
  };
}

function table(rows: readonly Row[]): string {
  const isSet = ({ from }: Row) => from !== 'default' && from !== 'computed';
  const sorted = [...rows.filter(isSet), ...rows.filter((row) => !isSet(row))];
  return align([
    ['VARIABLE', 'VALUE', 'FROM'],
    ...sorted.map(({ variable, value, from }) => [variable, value ?? '-', from]),
  ]);
}

import { Command } from 'commander';
import { readSettings, type SettingsResult } from '../settings/read-settings.ts';
import { type Variable, type VariableName, variables } from '../settings/variables.ts';
import { jsonOption } from './keys/options.ts';
import { align, writeJson, writeStderr, writeStdout } from './output.ts';

/** `corral config`: shows every variable with its value and source. */
export function configCommand(): Command {
  return new Command('config')
    .description('show every variable with its value and source; secrets are masked')
    .addOption(jsonOption())
    .option('--all', 'include unset variables without a fixed default')
    .action(({ json, all }: { json?: true; all?: true }) => {
      const reading = readSettings(process.env);
      const rows = rowsOf(reading).filter(({ value }) => all || json || value !== undefined);
      if (json) writeJson(rows);
      else
        writeStdout(
          align([
            ['VARIABLE', 'VALUE', 'FROM'],
            ...rows.map((row) => [row.variable, row.value ?? '-', row.from]),
          ]),
        );
      for (const message of [...reading.warnings, ...reading.problems.map(({ message }) => message)])
        writeStderr(message);
      if (reading.problems.length > 0) process.exitCode = 2;
    });
}

interface Row {
  readonly variable: string;
  /** Undefined if the variable is unset and its default is computed at run time. */
  readonly value: string | undefined;
  readonly from: string;
}

function rowsOf({ settings, sources }: SettingsResult): Row[] {
  return (Object.entries(variables) as [VariableName, Variable][]).map(([variable, { kind, secret }]) => {
    const value = settings[variable];
    const shown = value === undefined ? undefined : secret ? '********' : kind.format(value);
    return { variable, value: shown, from: sources[variable] };
  });
}

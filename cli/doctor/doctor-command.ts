import { Command } from 'commander';
import { jsonOption } from '../options.ts';
import { align, writeJson, writeStdout } from '../output.ts';
import { exitStatus, type Finding, type Verdict } from './finding.ts';
import { runChecks } from './run-checks.ts';

const notes = `
Reads the same variables as \`corral serve\` and starts nothing.
Exit status: 0 no errors (there may be warnings), 1 something does not work, 2 a setting is wrong.`;

/** `corral doctor`: checks everything that a start depends on. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check everything that a start depends on, and suggest fixes')
    .addOption(jsonOption())
    .addHelpText('after', notes)
    .action(async ({ json }: { json?: true }) => {
      const findings = await runChecks(process.env);
      const status = exitStatus(findings);
      if (json) writeJson({ status, findings });
      else writeStdout(report(findings));
      process.exitCode = status;
    });
}

const marks: Readonly<Record<Verdict, string>> = { good: '✓', warning: '!', bad: '✗', wrong: '✗' };
const summaries = {
  0: 'No problems found.',
  1: 'Something does not work: see ✗ above.',
  2: 'A setting is wrong: see ✗ above.',
} as const;

/** One line per finding, its fix below it, and a summary. */
export function report(findings: readonly Finding[]): string {
  const rows = findings.flatMap(({ about, verdict, message, fix }) => [
    [`${marks[verdict]} ${about}`, message.replaceAll('\n', ' ')],
    ...(fix === undefined ? [] : [['', `→ ${fix}`]]),
  ]);
  return `${align(rows)}\n\n${summaries[exitStatus(findings)]}`;
}

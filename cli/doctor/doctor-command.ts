import { Command } from 'commander';
import { align } from '../align.ts';
import { jsonOption } from '../keys/key-file-option.ts';
import { writeJson, writeStdout } from '../output.ts';
import { exitStatus, type Finding, type Verdict } from './finding.ts';
import { runChecks } from './run-checks.ts';

const notes = `
It reads the same variables as \`corral serve\`, and starts nothing.
Exit status: 0 all well (! may stand), 1 something does not work, 2 something is set wrongly.`;

/** `corral doctor`: everything that a start depends on, looked at. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('look at everything that a start depends on, and say how to mend what is wrong')
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
  0: 'Nothing stands in the way.',
  1: 'Something does not work: see ✗.',
  2: 'Something is set wrongly: see ✗.',
} as const;

/** A line for each finding, its cure below it, and what they come to. */
export function report(findings: readonly Finding[]): string {
  const rows = findings.flatMap(({ about, verdict, words, cure }) => [
    [`${marks[verdict]} ${about}`, words.replaceAll('\n', ' ')],
    ...(cure === undefined ? [] : [['', `→ ${cure}`]]),
  ]);
  return `${align(rows)}\n\n${summaries[exitStatus(findings)]}`;
}

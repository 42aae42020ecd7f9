import { join } from 'node:path';
import { execa } from 'execa';
import { parseReport, type Report } from '../../cli/bench/report.ts';
import { projectFolder } from '../../scripts/project-folders.ts';
import type { BackendScenario } from '../fakes/start-fake-backend.ts';

export interface BenchOutcome {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** `corral bench …` as a process. */
export function startBench(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const program = execa(process.execPath, [join(projectFolder, 'cli/corral.ts'), 'bench', ...args], {
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: join(projectFolder, '.cache/node'),
      ...env,
    },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });
  const outcome = program.then(
    ({ exitCode, stdout, stderr }): BenchOutcome => ({ status: exitCode, stdout, stderr }),
  );
  return { interrupt: () => void program.kill('SIGINT'), outcome };
}

/** Its report. Throws if it fails. */
export async function benchReport(
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<Report> {
  const { status, stdout, stderr } = await startBench([...args, '--json'], env).outcome;
  if (status !== 0) throw new Error(`corral bench exited with ${status}: ${stderr}`);
  return parseReport(stdout);
}

/** Responds at once to the requests before the measurement; `scenario` responds to the others. */
export function afterFirstQuestions(scenario: BackendScenario): BackendScenario {
  return (request, response) => {
    if (!request.body.includes('"max_tokens":1,') && !request.body.includes('"max_tokens":1}'))
      scenario(request, response);
    else response.setHeader('content-type', 'application/json').end('{"choices":[{"text":"a"}]}');
  };
}

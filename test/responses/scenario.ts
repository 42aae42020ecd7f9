import type { Report } from '../several-models/report.ts';

export interface ScenarioOptions {
  /** How many responses there are; each scenario has its own default. */
  readonly responses?: number;
  /** How often something is killed. */
  readonly kills?: number;
  readonly onProgress: (line: string) => void;
}

export interface Scenario {
  /** What it proves, in one line. */
  readonly claim: string;
  run(options: ScenarioOptions): Promise<Report>;
}

import type { Report } from '../several-models/report.ts';

export interface ScenarioOptions {
  /** How many lines the batch has; each scenario has its own default. */
  readonly lines?: number;
  /** How often something is killed. */
  readonly kills?: number;
  /** How long something is watched. */
  readonly seconds?: number;
  readonly onProgress: (line: string) => void;
}

export interface Scenario {
  /** What it proves, in one line. */
  readonly claim: string;
  run(options: ScenarioOptions): Promise<Report>;
}

import type { Report } from './report.ts';

export interface ScenarioOptions {
  /** How many requests are sent; each scenario has its own default. */
  readonly requests?: number;
  /** How long it runs, where time is what counts. */
  readonly seconds?: number;
  readonly onProgress: (line: string) => void;
}

export interface Scenario {
  /** What it proves, in one line. */
  readonly claim: string;
  run(options: ScenarioOptions): Promise<Report>;
}

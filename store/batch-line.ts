import type { BatchUsage } from './batch.ts';
import type { Range } from './content-reader.ts';

/** A line of an input file that is to be run. `number` counts from 1; offset and length are bytes in the file. */
export interface Line extends Range {
  readonly number: number;
  /** Lines with a common beginning of their prompts are next to each other in this order. */
  readonly sortKey: Uint8Array;
}

export interface NewLine extends Line {
  readonly customId: string;
  /** The model of this line, if it is not that of the batch. */
  readonly model?: string | undefined;
}

export type LineState = 'completed' | 'failed' | 'expired' | 'cancelled';

/** How a line has ended. */
export interface LineResult {
  readonly number: number;
  readonly state: LineState;
  /**
   * The line of the result file without its line break: of the output file if it is completed, else of the error file.
   * Undefined writes nothing.
   */
  readonly text?: string | undefined;
  readonly usage?: BatchUsage | undefined;
}

/** As the database has them; 0 is a line without result. */
export const stateNumbers: Readonly<Record<LineState, number>> = {
  completed: 1,
  failed: 2,
  expired: 3,
  cancelled: 4,
};

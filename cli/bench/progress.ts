import { progressBar, type Terminal, TerminalLine } from '../terminal-line.ts';
import type { Step } from './report.ts';
import type { StepTally } from './step-tally.ts';

export interface Progress {
  /** Returns a function to call when the load of a step starts. */
  starter(step: Step, index: number, of: number): (tally: StepTally, from: number, until: number) => void;
  stop(): void;
}

/** One line, redrawn five times a second, if there is a terminal. */
export function showProgress(terminal: Terminal, requests: number | null): Progress {
  const line = new TerminalLine(terminal);
  let timer: NodeJS.Timeout | undefined;
  return {
    starter: (step, index, of) => (tally, from, until) => {
      if (!line.isVisible) return;
      const head = `${index + 1}/${of} ${step.name}`;
      const draw = () => {
        const at = performance.now();
        line.draw(progressLine({ head, counts: tally.counts, at, from, until, requests }));
      };
      draw();
      timer = setInterval(draw, 200);
    },
    stop() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      line.clear();
    },
  };
}

interface ProgressState {
  readonly head: string;
  readonly counts: StepTally['counts'];
  readonly at: number;
  readonly from: number;
  readonly until: number;
  readonly requests: number | null;
}

export function progressLine({ head, counts, at, from, until, requests }: ProgressState): string {
  const { done, failed, pieces } = counts;
  if (at < from) return `${head}  ${progressBar(0)} warming up`;
  const ofTime = (at - from) / (until - from);
  const ofRequests = requests === null ? 0 : (done + failed) / requests;
  const seconds = (at - from) / 1000;
  const rate = seconds > 0 ? (pieces / seconds).toFixed(0) : '0';
  const faults = failed === 0 ? '' : `, ${failed} failed`;
  const share = Math.min(1, Math.max(ofTime, ofRequests));
  const status = at >= until ? 'waiting for the last responses' : `${Math.floor(share * 100)}%`;
  return `${head}  ${progressBar(share)} ${status}  ${done} done${faults}  ${rate} chunks/s`;
}

import type { KeyWork, Work } from '../gpu/token-cost.ts';
import type { UsageSums } from '../proxy/usage-sums.ts';
import type { KeyTraffic } from './key-traffic.ts';
import type { Traffic } from './traffic.ts';

/** What was made since the gateway began: of all requests, and of each key. */
export interface WorkDone extends Work {
  readonly keys: ReadonlyMap<string, KeyWork>;
}

export function workDone(traffic: Traffic, keyTraffic: KeyTraffic): WorkDone {
  let [output, processed] = [0, 0];
  for (const model of traffic.models) {
    output += model.output.sum;
    processed += model.input.sum - model.cached + model.output.sum;
  }
  return {
    output,
    processed,
    keys: new Map([...keyTraffic.all].map(({ labels, sums }) => [labels.key, workOf(sums)])),
  };
}

function workOf({ input, cached, output, machineMs }: Readonly<UsageSums>): KeyWork {
  return { output, processed: input - cached + output, machineMs };
}

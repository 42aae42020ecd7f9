import type { Operation } from '../api/route-label.ts';
import type { Usage } from '../api/usage.ts';
import { generation } from './catalogue.ts';
import { HistogramData } from './histogram-data.ts';

interface ModelLabels {
  readonly gen_ai_operation_name: Operation;
  readonly gen_ai_provider_name: string;
  readonly gen_ai_request_model: string;
}

interface UsageLabels extends ModelLabels {
  readonly gen_ai_token_type: 'input' | 'output';
}

interface Durations {
  readonly labels: ModelLabels & { readonly error_type: string };
  readonly spread: HistogramData;
}

/** What was asked of one model in one operation: plain numbers, counted at the end of each request. */
export class ModelTraffic {
  readonly labels: ModelLabels;
  readonly inputLabels: UsageLabels;
  readonly outputLabels: UsageLabels;
  /** By error; '' is none. */
  readonly durations = new Map<string, Durations>();
  readonly firstToken = new HistogramData(generation.firstToken.bounds);
  readonly perToken = new HistogramData(generation.perToken.bounds);
  readonly input = new HistogramData(generation.usage.bounds);
  readonly output = new HistogramData(generation.usage.bounds);
  cached = 0;

  constructor(operation: Operation, model: string) {
    this.labels = {
      gen_ai_operation_name: operation,
      gen_ai_provider_name: 'llama_cpp',
      gen_ai_request_model: model,
    };
    this.inputLabels = { ...this.labels, gen_ai_token_type: 'input' };
    this.outputLabels = { ...this.labels, gen_ai_token_type: 'output' };
  }

  recordDuration(seconds: number, error: string): void {
    let durations = this.durations.get(error);
    if (durations === undefined) {
      durations = {
        labels: { ...this.labels, error_type: error },
        spread: new HistogramData(generation.duration.bounds),
      };
      this.durations.set(error, durations);
    }
    durations.spread.observe(seconds);
  }

  recordUsage({ input, cached, output }: Usage): void {
    this.input.observe(input);
    this.cached += cached;
    if (this.#generates) this.output.observe(output);
  }

  get #generates(): boolean {
    const { gen_ai_operation_name: operation } = this.labels;
    return operation !== 'embeddings' && operation !== 'rerank';
  }
}

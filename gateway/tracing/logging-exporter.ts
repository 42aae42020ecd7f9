import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Log } from '../../log/create-log.ts';

/** Tells the log once when spans stop arriving at the collector, and once when they arrive again. */
export class LoggingExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #log: Log;
  #lost = 0;

  constructor(exporter: SpanExporter, log: Log) {
    this.#exporter = exporter;
    this.#log = log;
  }

  export(spans: ReadableSpan[], settled: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      this.#note(spans.length, result);
      // What went wrong has been told; the SDK would tell it again, in words that may quote the collector.
      settled({ code: result.code });
    });
  }

  #note(spans: number, { code, error }: ExportResult): void {
    const lost = this.#lost;
    this.#lost = code === ExportResultCode.SUCCESS ? 0 : lost + spans;
    if (lost === 0 && this.#lost > 0)
      this.#log.warn({ reason: reasonOf(error) }, 'traces do not arrive: the collector does not take them');
    if (lost > 0 && this.#lost === 0) this.#log.info({ lost }, 'traces arrive again');
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}

/** A status or a code of Node's, never a text that the collector chose. */
function reasonOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: string | number };
  return code === undefined ? 'no answer in time' : String(code);
}

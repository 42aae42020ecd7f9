import type { IncomingHttpHeaders } from 'node:http';
import type { RequestRecord } from '../proxy/request-record.ts';
import type { RequestTrace } from '../proxy/request-trace.ts';

/** Follows requests for a collector of traces; undefined where there is none. */
export interface Tracing {
  /** Undefined for what is no request of the API: probes, pages, paths that there are not. */
  startTrace(record: RequestRecord, headers: IncomingHttpHeaders): RequestTrace | undefined;
  /** Sends what is left, or gives it up after the time that one sending may take. */
  close(): Promise<void>;
}

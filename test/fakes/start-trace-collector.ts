import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '../harness/wait-for.ts';

/** One span as received. */
export interface CollectedSpan {
  readonly name: string;
  /** 1 is internal, 2 a server's, 3 a client's. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2 is an error. */
  readonly status: number;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** One request to `/v1/traces`. */
export interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface TraceCollector extends AsyncDisposable {
  readonly endpoint: string;
  readonly deliveries: readonly Delivery[];
  /** Sends the response; by default it accepts everything. */
  respond: (response: ServerResponse) => void;
  /** Waits for `count` spans of a trace and returns them in the order of their start. */
  spansOf(traceId: string, count: number): Promise<readonly CollectedSpan[]>;
}

/** A collector that accepts OTLP/HTTP; spans can be read only from JSON. */
export async function startTraceCollector(): Promise<TraceCollector> {
  const deliveries: Delivery[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    deliveries.push({ headers: request.headers, body });
    collector.respond(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const collector: TraceCollector = {
    endpoint: `http://127.0.0.1:${port}`,
    deliveries,
    respond: (response) => response.setHeader('content-type', 'application/json').end('{}'),
    spansOf: (traceId, count) =>
      waitFor(`${count} spans of the trace ${traceId}`, () => {
        const spans = spansIn(deliveries).filter((span) => span.traceId === traceId);
        return spans.length >= count && spans.toSorted((a, b) => a.start - b.start);
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}

export function spansIn(deliveries: readonly Delivery[]): CollectedSpan[] {
  return deliveries.flatMap(({ body }) =>
    (JSON.parse(body) as ExportRequest).resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans.map((span) => collected(span, valuesOf(resource.attributes)))),
    ),
  );
}

function collected(span: WireSpan, resource: Readonly<Record<string, unknown>>): CollectedSpan {
  const { name, kind, traceId, spanId, parentSpanId } = span;
  return {
    ...{ name, kind, traceId, spanId, parentSpanId, resource },
    start: Number(span.startTimeUnixNano) / 1e6,
    end: Number(span.endTimeUnixNano) / 1e6,
    attributes: valuesOf(span.attributes),
    status: span.status.code ?? 0,
  };
}

interface WireValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values: readonly WireValue[] };
}

type WireAttributes = readonly { readonly key: string; readonly value: WireValue }[];

interface WireSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: WireAttributes;
  readonly status: { readonly code?: number };
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: WireAttributes };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

function valuesOf(attributes: WireAttributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

function plain({ stringValue, intValue, doubleValue, boolValue, arrayValue }: WireValue): unknown {
  if (arrayValue) return arrayValue.values.map(plain);
  if (intValue !== undefined) return Number(intValue);
  return stringValue ?? doubleValue ?? boolValue;
}

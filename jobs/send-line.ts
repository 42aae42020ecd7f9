import {
  type GatewayClient,
  type GatewayResponse,
  readText,
  type Unreachable,
} from '../client/gateway-client.ts';
import { type Advice, readAdvice, readHeader, readNumber, sendForOwner } from './send-for-owner.ts';

/** One request for a line. */
export interface LineRequest {
  /** The id of the key to act for; empty where no key is required. */
  readonly owner: string;
  readonly user: string | null;
  readonly batchId: string;
  readonly path: string;
  readonly body: unknown;
  readonly requestId: string;
}

export interface Responded extends Advice {
  readonly outcome: 'responded';
  readonly status: number;
  readonly requestId: string;
  /** The body, which is JSON: it is made so if it is none. */
  readonly json: string;
  /** Slots that batches may use at the engines of the model. */
  readonly batchSlots: number | undefined;
}

export type LineResponse = Responded | Unreachable;

/** Acts for the key that owns the batch. Throws only the reason of the signal. */
export function sendLine(
  gateway: GatewayClient,
  { batchId, body, ...line }: LineRequest,
  signal: AbortSignal,
): Promise<LineResponse> {
  const request = { ...line, body: JSON.stringify(body), job: { 'x-corral-batch': batchId } };
  return sendForOwner(gateway, request, (response) => readResponse(response, line.requestId), signal);
}

async function readResponse(response: GatewayResponse, requestId: string): Promise<Responded> {
  return {
    ...readAdvice(response),
    outcome: 'responded',
    status: response.statusCode,
    requestId: readHeader(response, 'x-request-id') ?? requestId,
    json: toJson(await readText(response.body)),
    batchSlots: readNumber(response, 'x-corral-batch-slots'),
  };
}

function toJson(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

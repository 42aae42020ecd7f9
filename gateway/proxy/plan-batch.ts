import type { ApiRequest } from '../api/parse-request-body.ts';
import { findInputsField, getInputs } from '../api/request-fields.ts';
import type { ApiRoute, InputsField } from '../api/route-table.ts';
import { BatchResponse } from './batch-response.ts';

/** A request of many inputs as several of a few, which llama-server answers one after the other. */
export interface BatchPlan {
  readonly count: number;
  /** How many of them together are no more than there are slots. */
  readonly atOnce: number;
  part(at: number): ApiRequest;
  /** What becomes of their answers. */
  readonly response: BatchResponse;
}

/**
 * Undefined where a request fits into the slots as it is, or its answer cannot be put together: llama-server takes the
 * inputs of one request in a row, and all others would wait for the last of them.
 */
export function planBatch(route: ApiRoute, request: ApiRequest, slots: number): BatchPlan | undefined {
  const { inputsField, generates } = route;
  if (inputsField === undefined || request.stream || slots === 0 || request.weight <= slots) return undefined;
  const fields = JSON.parse(request.body.toString()) as Readonly<Record<string, unknown>>;
  const inputs = getInputs(inputsField, fields);
  const field = findInputsField(inputsField, fields);
  if (inputs === undefined || field === undefined || inputs.length < 2) return undefined;
  const choices = request.weight / inputs.length;
  if (choices > slots || !canBeMerged(inputsField, fields)) return undefined;
  // Each text that is written takes its time; texts that are read are so short that a request for each would cost more.
  const perPart = generates ? 1 : slots;
  return {
    count: Math.ceil(inputs.length / perPart),
    atOnce: generates ? Math.floor(slots / choices) : 1,
    part(at) {
      const some = inputs.slice(at * perPart, (at + 1) * perPart);
      return partOf(
        request,
        { ...plain(fields), [field]: generates ? some[0] : some },
        some.length / inputs.length,
      );
    },
    response: new BatchResponse(route, fields, perPart * choices),
  };
}

/** Fields that shape the answer in a way of their own, or are refused. */
function canBeMerged(
  batch: InputsField,
  { top_n, response_fields, verbose }: Readonly<Record<string, unknown>>,
) {
  if (batch === 'documents')
    return top_n === undefined || top_n === null || (Number.isInteger(top_n) && Number(top_n) >= 0);
  return !response_fields && !verbose;
}

/** Without what asks for a stream, and for a part of the ranking. */
function plain({ stream: _, stream_options: __, top_n: ___, ...fields }: Readonly<Record<string, unknown>>) {
  return fields;
}

function partOf(request: ApiRequest, fields: object, share: number): ApiRequest {
  const { input, inputs, completions } = request.estimate;
  return {
    ...request,
    aggregation: undefined,
    weight: Math.round(request.weight * share),
    estimate: {
      ...request.estimate,
      input: Math.ceil(input * share),
      inputs: Math.round(inputs * share),
      completions: Math.round(completions * share),
    },
    body: Buffer.from(JSON.stringify(fields)),
  };
}

import type { ApiRequest } from '../api/request/parse-request-body.ts';
import { findInputsField, getInputs } from '../api/request-size.ts';
import type { ApiRoute, InputsField } from '../api/route-table.ts';
import { MergedResponse } from './merged-response.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A request with many inputs, or choices, split into parts. */
export interface SplitPlan {
  readonly count: number;
  /** How many parts at once need no more than the slots there are. */
  readonly atOnce: number;
  part(at: number): ApiRequest;
  readonly response: MergedResponse;
}

/** The slots that a request may use, and those of the engine: the same but for lines of batches. */
export interface UsableSlots {
  readonly usable: number;
  readonly all: number;
}

/**
 * Undefined if a request fits the slots as it is, or its response cannot be merged. llama-server runs the inputs of one
 * request in a row, and all other requests would wait for the last of them. It runs choices side by side, and rejects more
 * than it has slots; but those of a line of a batch are more than it may use.
 */
export function planSplit(route: ApiRoute, request: ApiRequest, slots: UsableSlots): SplitPlan | undefined {
  if (request.stream || slots.usable === 0 || request.sequences <= slots.usable) return undefined;
  return planInputs(route, request, slots.usable) ?? planChoices(route, request, slots);
}

function planInputs(route: ApiRoute, request: ApiRequest, slots: number): SplitPlan | undefined {
  const { inputsField, generates } = route;
  const fields = JSON.parse(request.body.toString()) as Fields;
  const listed = findInputs(route, fields);
  if (inputsField === undefined || listed === undefined) return undefined;
  const { inputs, field } = listed;
  const choices = request.sequences / inputs.length;
  if (choices > slots || !canBeMerged(inputsField, fields)) return undefined;
  // Generation takes its time; texts that are only read are so short that a request for each would cost more.
  const perPart = generates ? 1 : slots;
  return {
    count: Math.ceil(inputs.length / perPart),
    atOnce: generates ? Math.floor(slots / choices) : 1,
    part(at) {
      const some = inputs.slice(at * perPart, (at + 1) * perPart);
      const partFields = { ...withoutWholeFields(fields), [field]: generates ? some[0] : some };
      return createPart(request, partFields, some.length / inputs.length);
    },
    response: new MergedResponse(route, fields, (at) => at * perPart * choices),
  };
}

/** Also of several inputs, each by itself. */
function planChoices(
  route: ApiRoute,
  request: ApiRequest,
  { usable, all }: UsableSlots,
): SplitPlan | undefined {
  const { shape } = route;
  if (shape !== 'chat' && shape !== 'completion') return undefined;
  const { n: _, n_cmpl: __, seed, ...fields } = withoutWholeFields(JSON.parse(request.body.toString()));
  const listed = findInputs(route, fields);
  const inputs = listed?.inputs.length ?? 1;
  const choices = request.sequences / inputs;
  if (choices <= usable || choices > all || !canBeMerged('prompt', fields)) return undefined;
  const partsOfInput = Math.ceil(choices / usable);
  const placeOf = (at: number) => ({
    input: Math.floor(at / partsOfInput),
    first: (at % partsOfInput) * usable,
  });
  return {
    count: inputs * partsOfInput,
    atOnce: 1,
    part(at) {
      const { input, first } = placeOf(at);
      const n = Math.min(usable, choices - first);
      // llama-server gives each choice of an input the seed of the one before it, and 1.
      const ownSeed = typeof seed === 'number' && seed >= 0 ? seed + first : seed;
      const own = listed === undefined ? {} : { [listed.field]: listed.inputs[input] };
      const partFields = { ...fields, ...own, n, ...(seed !== undefined && { seed: ownSeed }) };
      return createPart(request, partFields, n / request.sequences);
    },
    response: new MergedResponse(route, fields, (at) => {
      const { input, first } = placeOf(at);
      return input * choices + first;
    }),
  };
}

/** The inputs of a request that has several. */
function findInputs({ inputsField }: ApiRoute, fields: Fields) {
  if (inputsField === undefined) return undefined;
  const inputs = getInputs(inputsField, fields);
  const field = findInputsField(inputsField, fields);
  return inputs === undefined || field === undefined || inputs.length < 2 ? undefined : { inputs, field };
}

/** Some fields change the format of the response, or are invalid. */
function canBeMerged(inputsField: InputsField, { top_n, response_fields, verbose }: Fields) {
  if (inputsField === 'documents')
    return top_n === undefined || top_n === null || (Number.isInteger(top_n) && Number(top_n) >= 0);
  return !response_fields && !verbose;
}

/** Without the fields that ask for a stream, and for a part of the ranking. */
function withoutWholeFields({ stream: _, stream_options: __, top_n: ___, ...fields }: Fields): Fields {
  return fields;
}

function createPart(request: ApiRequest, fields: object, share: number): ApiRequest {
  const { input, inputs, completions } = request.estimate;
  return {
    ...request,
    aggregation: undefined,
    sequences: Math.round(request.sequences * share),
    estimate: {
      ...request.estimate,
      input: Math.ceil(input * share),
      inputs: Math.max(Math.round(inputs * share), 1),
      completions: Math.round(completions * share),
    },
    body: Buffer.from(JSON.stringify(fields)),
  };
}

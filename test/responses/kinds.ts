import { storyText, storyThought } from '../../cli/demo-model/stories.ts';
import { type OutputItem, textOf } from '../harness/responses-client.ts';

/** Tokens of a long answer. */
const MAX_TOKENS = 400;

/** A response as it is sent. */
export interface Told {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly output: readonly OutputItem[];
  readonly usage: { readonly output_tokens: number } | null;
}

/** A kind of request whose answer is known. */
interface Kind {
  request(n: number): object;
  isExact(response: Told): boolean;
}

const typesOf = ({ output }: Told) => output.map(({ type }) => type).join();

/** It is cut off after so many tokens. */
const long: Kind = {
  request: (n) => ({ input: `${n}: tell me a long story`, max_output_tokens: MAX_TOKENS }),
  isExact: (response) =>
    response.status === 'incomplete' &&
    response.usage?.output_tokens === MAX_TOKENS &&
    textOf(response).length >= MAX_TOKENS &&
    storyText('long story').startsWith(textOf(response)),
};

const reasoning: Kind = {
  request: (n) => ({ input: `${n}: think` }),
  isExact: (response) =>
    response.status === 'completed' &&
    typesOf(response) === 'reasoning,message' &&
    response.output[0]?.content?.[0]?.text === storyThought('thinking') &&
    textOf(response) === storyText('thinking'),
};

const cities = { type: 'string', enum: ['Bergen', 'Oslo'] };
const call: Kind = {
  request: (n) => ({
    input: `${n}: what is the weather like?`,
    tools: [
      {
        ...{ type: 'function', name: 'weather', strict: true },
        parameters: {
          ...{
            type: 'object',
            properties: { city: cities },
            required: ['city'],
            additionalProperties: false,
          },
        },
      },
    ],
    tool_choice: 'required',
  }),
  isExact: (response) =>
    response.status === 'completed' &&
    typesOf(response) === 'message,function_call' &&
    textOf(response) === storyText('welcome') &&
    /^\{"city":\s*"(Bergen|Oslo)"\}$/.test(response.output[1]?.arguments ?? ''),
};

/** Most are long, so that a kill hits them. */
const kinds = [long, reasoning, long, call, long];
export const kindOf = (n: number): Kind => kinds[n % kinds.length] ?? long;

import { anthropicEnvelope, openAIEnvelope } from '../../gateway/api/error-response.ts';
import type { ApiError } from '../../gateway/errors/api-error.ts';
import { type ErrorName, errorExamples } from './error-examples.ts';
import { commonHeaders, headers, headersNamed, type ResponseStyle } from './operation.ts';

interface ErrorResponse {
  /** Under which it stands among the components: others answer the same. */
  readonly name: string;
  readonly status: number;
  readonly response: object;
}

/** The refusals of an operation as its responses, one for each status, in whose words they are given. */
export function errorResponses(names: readonly ErrorName[], manner: ResponseStyle): ErrorResponse[] {
  const statuses = Map.groupBy(new Set(names), (name) => errorExamples[name].status);
  return [...statuses]
    .toSorted(([a], [b]) => a - b)
    .map(([status, ofStatus]) => {
      const codes = [...new Set(ofStatus.map((name) => errorExamples[name].code))];
      const name = [manner, status, ...codes].join('.');
      return { name, status, response: responseOf(ofStatus, codes, manner) };
    });
}

function responseOf(names: readonly ErrorName[], codes: readonly string[], manner: ResponseStyle): object {
  const isAnthropic = manner === 'anthropic';
  const examples = names.map((name) => [name, { value: envelopeOf(errorExamples[name], isAnthropic) }]);
  return {
    description: `\`${codes.join('`, `')}\``,
    headers: headersNamed([...commonHeaders[manner], ...headersOf(names)]),
    content: {
      'application/json': {
        schema: { $ref: `#/components/schemas/${isAnthropic ? 'AnthropicError' : 'Error'}` },
        examples: Object.fromEntries(examples),
      },
    },
  };
}

function headersOf(names: readonly ErrorName[]): string[] {
  const given = new Set(names.flatMap((name) => Object.keys(errorExamples[name].headers)));
  return Object.keys(headers).filter((name) => given.has(name));
}

function envelopeOf(refusal: ApiError, isAnthropic: boolean): object {
  return isAnthropic ? anthropicEnvelope(refusal.status, refusal, 'b1946ac9') : openAIEnvelope(refusal);
}

/** Every code that there is, as a list in Markdown. */
export function codesByStatus(): string {
  const statuses = Map.groupBy(Object.values(errorExamples), ({ status }) => status);
  return [...statuses]
    .toSorted(([a], [b]) => a - b)
    .map(([status, all]) => `- ${status}: \`${[...new Set(all.map(({ code }) => code))].join('`, `')}\``)
    .join('\n');
}

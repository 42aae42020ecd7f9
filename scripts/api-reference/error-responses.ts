import { anthropicEnvelope, openAIEnvelope } from '../../gateway/api/error-response.ts';
import type { ApiError } from '../../gateway/errors/api-error.ts';
import { type ErrorName, errorExamples } from './error-examples.ts';
import { commonHeaders, headers, headersNamed, type ResponseStyle } from './operation.ts';

interface ErrorResponse {
  /** Its name among the components of the document. Operations share equal responses. */
  readonly name: string;
  readonly status: number;
  readonly response: object;
}

/** The errors of an operation as responses, one for each status, in the format of its API. */
export function errorResponses(names: readonly ErrorName[], style: ResponseStyle): ErrorResponse[] {
  const statuses = Map.groupBy(new Set(names), (name) => errorExamples[name].status);
  return [...statuses]
    .toSorted(([a], [b]) => a - b)
    .map(([status, ofStatus]) => {
      const codes = [...new Set(ofStatus.map((name) => errorExamples[name].code))];
      const name = [style, status, ...codes].join('.');
      return { name, status, response: toResponse(ofStatus, codes, style) };
    });
}

function toResponse(names: readonly ErrorName[], codes: readonly string[], style: ResponseStyle): object {
  const isAnthropic = style.endsWith('anthropic');
  const examples = names.map((name) => [name, { value: toEnvelope(errorExamples[name], isAnthropic) }]);
  return {
    description: `\`${codes.join('`, `')}\``,
    headers: headersNamed([...commonHeaders[style], ...listHeaders(names)]),
    content: {
      'application/json': {
        schema: { $ref: `#/components/schemas/${isAnthropic ? 'AnthropicError' : 'Error'}` },
        examples: Object.fromEntries(examples),
      },
    },
  };
}

function listHeaders(names: readonly ErrorName[]): string[] {
  const given = new Set(names.flatMap((name) => Object.keys(errorExamples[name].headers)));
  return Object.keys(headers).filter((name) => given.has(name));
}

function toEnvelope(error: ApiError, isAnthropic: boolean): object {
  return isAnthropic ? anthropicEnvelope(error.status, error, 'b1946ac9') : openAIEnvelope(error);
}

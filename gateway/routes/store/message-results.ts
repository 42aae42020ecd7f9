import { parseExactly } from '../../../json/exact-numbers.ts';
import { anthropicEnvelope } from '../../api/error-response.ts';
import { asObject, isJsonObject } from '../../api/json.ts';

const lineFeed = 0x0a;

/** The lines of result files as Anthropic's API has them: one result for each request, in any order. */
export async function* toMessageResults(
  files: readonly AsyncIterable<Buffer>[],
): AsyncGenerator<Buffer, void> {
  for (const file of files) {
    for await (const line of splitLines(file))
      yield Buffer.from(`${JSON.stringify(toMessageResult(line))}\n`);
  }
}

/** Without their line breaks. No more than one is held. */
async function* splitLines(pieces: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  let begun: Buffer[] = [];
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(lineFeed); end !== -1; end = piece.indexOf(lineFeed, from)) {
      yield Buffer.concat([...begun, piece.subarray(from, end)]).toString();
      begun = [];
      from = end + 1;
    }
    begun.push(piece.subarray(from));
  }
  const last = Buffer.concat(begun).toString();
  if (last !== '') yield last;
}

export function toMessageResult(line: string) {
  // Numbers that JavaScript would write differently may be part of a tool's input.
  const { custom_id, response, error } = asObject(parseExactly(line));
  return { custom_id, result: toResult(asObject(response), asObject(error)) };
}

const withoutAnswer: Readonly<Record<string, string>> = {
  batch_expired: 'expired',
  batch_cancelled: 'canceled',
};

/** The key of the batch has ended: as if it had sent the request itself. */
const statusOfKeyProblem: Readonly<Record<string, number>> = {
  invalid_api_key: 401,
  insufficient_scope: 403,
};

function toResult(response: Readonly<Record<string, unknown>>, error: Readonly<Record<string, unknown>>) {
  const ended = withoutAnswer[String(error.code)];
  if (ended !== undefined) return { type: ended };
  const { status_code: status, body } = response;
  if (typeof status === 'number' && status < 400) return { type: 'succeeded', message: body };
  const known = status ?? statusOfKeyProblem[String(error.code)] ?? 500;
  return { type: 'errored', error: toError(Number(known), response, error) };
}

/** What refused the request has said it in Anthropic's format, unless it got no answer at all. */
function toError(
  status: number,
  { body, request_id: requestId }: Readonly<Record<string, unknown>>,
  error: Readonly<Record<string, unknown>>,
) {
  if (isJsonObject(body) && body.type === 'error') return body;
  const { message = 'The request failed.' } = { ...asObject(asObject(body).error), ...error };
  const known = { message: String(message), type: '', param: null, code: null };
  return anthropicEnvelope(status, known, String(requestId ?? ''));
}

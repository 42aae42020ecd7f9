import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';

/** A stream as measured by a client; durations in seconds, times in seconds since 1970. */
export interface MeasuredStream {
  readonly firstToken: number;
  readonly endedAt: number;
  /** The average time between two tokens after the first. */
  readonly perToken: number;
  readonly outputTokens: number;
}

const agent = new Agent({ keepAlive: true });
const seconds = () => (performance.timeOrigin + performance.now()) / 1000;

/** Requests a chat stream and measures it, with as little work as possible in this process. */
export async function measureStream(port: number, secret: string, body: object): Promise<MeasuredStream> {
  const requestBody = JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } });
  const headers = {
    authorization: `Bearer ${secret}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(requestBody),
  };
  const startedAt = seconds();
  const sent = request({ port, agent, method: 'POST', path: '/v1/chat/completions', headers }).end(
    requestBody,
  );
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const pieces: string[] = [];
  let firstAt = 0;
  response.setEncoding('utf8').on('data', (piece: string) => {
    // Keep-alives are comments.
    if (firstAt === 0 && piece.includes('data: ')) firstAt = seconds();
    pieces.push(piece);
  });
  await once(response, 'end');
  const endedAt = seconds();
  const text = pieces.join('');
  const outputTokens = Number(/"completion_tokens":(\d+)/.exec(text)?.[1]);
  if (firstAt === 0 || !(outputTokens > 1)) throw new Error(`${response.statusCode}, no tokens: ${text}`);
  return {
    firstToken: firstAt - startedAt,
    endedAt,
    perToken: (endedAt - firstAt) / (outputTokens - 1),
    outputTokens,
  };
}

import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';

/** What a client saw of one stream; times in seconds, moments since 1970. */
export interface MeasuredStream {
  readonly firstToken: number;
  readonly endedAt: number;
  /** Between two tokens, after the first. */
  readonly perToken: number;
  readonly outputTokens: number;
}

const agent = new Agent({ keepAlive: true });
const seconds = () => (performance.timeOrigin + performance.now()) / 1000;

/** Asks for a chat as a stream, and measures it as its reader would, with as little work of its own as can be. */
export async function measureStream(port: number, secret: string, body: object): Promise<MeasuredStream> {
  const wish = JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } });
  const headers = {
    authorization: `Bearer ${secret}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(wish),
  };
  const beganAt = seconds();
  const asked = request({ port, agent, method: 'POST', path: '/v1/chat/completions', headers }).end(wish);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const pieces: string[] = [];
  let firstAt = 0;
  answer.setEncoding('utf8').on('data', (piece: string) => {
    // Signs of life are comments.
    if (firstAt === 0 && piece.includes('data: ')) firstAt = seconds();
    pieces.push(piece);
  });
  await once(answer, 'end');
  const endedAt = seconds();
  const text = pieces.join('');
  const outputTokens = Number(/"completion_tokens":(\d+)/.exec(text)?.[1]);
  if (firstAt === 0 || !(outputTokens > 1)) throw new Error(`${answer.statusCode}, no tokens: ${text}`);
  return {
    firstToken: firstAt - beganAt,
    endedAt,
    perToken: (endedAt - firstAt) / (outputTokens - 1),
    outputTokens,
  };
}

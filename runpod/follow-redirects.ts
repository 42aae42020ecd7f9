import { type Dispatcher, request } from 'undici';

/** What is asked of RunPod, whose answer may send us elsewhere. */
export interface QueueRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}

const MOST_REDIRECTS = 5;
/** A POST that were sent on as a GET, as these have it, would bring nothing there and look as if it had. */
const forGetsAlone = new Set([301, 302, 303]);
const forBoth = new Set([307, 308]);

/** Asks, and follows where the answer leads. Our key goes to the host that RunPod has named, and to no other. */
export async function requestFollowingRedirects(
  url: string,
  question: QueueRequest,
): Promise<Dispatcher.ResponseData> {
  let at = new URL(url);
  for (let redirects = 0; ; redirects++) {
    const { authorization, ...others } = question.headers;
    const isHome = at.host === new URL(url).host && (at.protocol === 'https:' || url.startsWith('http:'));
    const headers = isHome ? question.headers : others;
    const answer = await request(at, { ...question, headers });
    const next = leadsTo(answer, question.method, at);
    if (next === undefined || redirects === MOST_REDIRECTS) return answer;
    await answer.body.dump();
    at = next;
  }
}

function leadsTo({ statusCode, headers }: Dispatcher.ResponseData, method: string, at: URL): URL | undefined {
  const isFollowed = forBoth.has(statusCode) || (method === 'GET' && forGetsAlone.has(statusCode));
  const { location } = headers;
  if (!isFollowed || typeof location !== 'string' || !URL.canParse(location, at.href)) return undefined;
  const next = new URL(location, at);
  return /^https?:$/.test(next.protocol) ? next : undefined;
}

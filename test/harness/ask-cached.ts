/** A response, and what the response cache did for it. */
export interface CachedAnswer {
  readonly status: number;
  /** `hit`, `miss` or `bypass`; null without a cache. */
  readonly cache: string | null;
  readonly text: string;
}

/** Posts a request, and returns the whole response. */
export async function askCached(
  origin: string,
  secret: string,
  body: object | string,
  { path = '/v1/chat/completions', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<CachedAnswer> {
  const response = await fetch(origin + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    cache: response.headers.get('x-corral-cache'),
    text: await response.text(),
  };
}

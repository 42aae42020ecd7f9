export interface GatewayResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { error?: { code: string; message: string } };
}

/** Asks a route that answers JSON, with the given key. */
export async function requestGateway(
  origin: string,
  request: string,
  secret: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<GatewayResponse> {
  const [method = '', path = ''] = request.split(' ');
  const authorization = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  const answer = await fetch(origin + path, { method, headers: { ...authorization, ...headers } });
  return {
    status: answer.status,
    headers: answer.headers,
    body: (await answer.json()) as GatewayResponse['body'],
  };
}

export interface GatewayResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { error?: { code: string; message: string } };
}

/** Sends a request to a JSON route with the given key. */
export async function requestGateway(
  origin: string,
  request: string,
  secret: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<GatewayResponse> {
  const [method = '', path = ''] = request.split(' ');
  const authorization = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  const response = await fetch(origin + path, { method, headers: { ...authorization, ...headers } });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as GatewayResponse['body'],
  };
}

import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { unknownUrl } from '../errors/catalogue.ts';
import { pageHeaders } from '../http/page-headers.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import { referencePage } from './reference-page.ts';

/** Swagger UI's icons are data: addresses in its styles. */
const headers = {
  ...pageHeaders,
  'content-security-policy': pageHeaders['content-security-policy'].replace(
    "img-src 'self'",
    "img-src 'self' data:",
  ),
  'cache-control': 'no-cache',
};

interface Place {
  readonly path: string;
  readonly type: string;
}

const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist'));

/** Where the files of the page lie; nothing else is served. */
const places: Readonly<Record<string, Place>> = {
  'reference.js': {
    path: join(import.meta.dirname, 'page/reference.js'),
    type: 'text/javascript; charset=utf-8',
  },
  'swagger-ui.js': { path: join(swagger, 'swagger-ui-bundle.js'), type: 'text/javascript; charset=utf-8' },
  'swagger-ui.css': { path: join(swagger, 'swagger-ui.css'), type: 'text/css; charset=utf-8' },
};

/** Written by `npm run docs`. */
const apiDocument = {
  path: join(import.meta.dirname, 'openapi.json'),
  type: 'application/json; charset=utf-8',
};

/** `GET /openapi.json`. */
export function handleApiDocument(c: GatewayContext): Promise<Response> {
  return showFile(c, apiDocument);
}

/** `GET /docs`. */
export function handleReferencePage(c: GatewayContext) {
  return c.html(referencePage, 200, headers);
}

/** `GET /docs/assets/{name}`. */
export async function handleReferenceAsset(c: GatewayContext): Promise<Response> {
  const name = c.req.param('name') ?? '';
  const place = Object.hasOwn(places, name) ? places[name] : undefined;
  if (place === undefined) throw unknownUrl(c.req.method, c.req.path);
  return showFile(c, place);
}

/** Read anew each time: few ask for them, and they would take more memory than all else that is kept. */
async function showFile(c: GatewayContext, { path, type }: Place): Promise<Response> {
  const body = await readFile(path);
  const etag = `"${hash('sha256', body).slice(0, 20)}"`;
  if (c.req.header('if-none-match')?.includes(etag)) return c.body(null, 304, { ...headers, etag });
  return c.body(body, 200, { ...headers, etag, 'content-type': type });
}

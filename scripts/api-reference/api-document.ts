import packageFile from '../../package.json' with { type: 'json' };
import { errorResponses } from './error-responses.ts';
import { gatewayOperations } from './gateway-operations.ts';
import { componentSchemas } from './json-schema.ts';
import {
  commonHeaders,
  headers,
  headersNamed,
  type NamedSchema,
  type Operation,
  type RequestBody,
  type ResponseSpec,
  type ResponseStyle,
} from './operation.ts';

import { proxiedOperations } from './proxied-operations.ts';
import { storedResponseOperations } from './response-operations.ts';
import { errorEnvelope } from './shapes/admin.ts';
import { anthropicError } from './shapes/anthropic.ts';
import { component } from './shapes/component.ts';
import { storeOperations } from './store-operations.ts';

export const operations: readonly Operation[] = [
  ...proxiedOperations,
  ...storedResponseOperations,
  ...storeOperations,
  ...gatewayOperations,
];

/** The ways to send a key. */
const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'As for OpenAI: `Authorization: Bearer KEY`.' },
  bareAuthorization: {
    ...{ type: 'apiKey', in: 'header', name: 'Authorization' },
    description: 'Only the key: `Authorization: KEY`.',
  },
  xApiKey: {
    ...{ type: 'apiKey', in: 'header', name: 'x-api-key' },
    description: 'As for Anthropic, and for platforms that use `Authorization` themselves.',
  },
  apiKey: { type: 'apiKey', in: 'header', name: 'api-key', description: 'As for Azure.' },
};

const tags = [
  { name: 'OpenAI', description: "OpenAI's API, and reranking in the format of Jina." },
  { name: 'Anthropic', description: "Anthropic's API; errors have Anthropic's format." },
  { name: 'Stored responses', description: 'Stored responses and conversations, with `STORE=on`.' },
  { name: 'Files and batches', description: 'With `STORE=on`, for keys with the scope `batch`.' },
  { name: 'llama-server', description: 'The format of llama-server, for keys with the scope `native`.' },
  {
    name: 'Administration',
    description: 'For keys with the scope `admin`; not available with `AUTH_ENABLED=false`.',
  },
  { name: 'Probes', description: 'Without a key.' },
  { name: 'Metrics', description: 'For Prometheus.' },
  { name: 'Reference', description: 'This document.' },
];

const description = `Each operation lists the scope that its key must have. With \`AUTH_ENABLED=false\` no key is required, and administration is not available.
Every response has \`x-request-id\`. Errors have OpenAI's format with all four fields; on \`/v1/messages\` they have Anthropic's format.
Requests may have \`x-request-id\` and \`traceparent\`.

Each response with an error lists its codes. An unknown path gives 404 \`unknown_url\`, a wrong method 405 \`method_not_allowed\` with
\`Allow\`.`;

/** The API as an OpenAPI 3.1 document, made from the routes, errors and schemas that the code and its tests use. */
function apiDocument(): object {
  return {
    openapi: '3.1.1',
    info: {
      ...{
        title: 'llama-corral',
        version: packageFile.version,
        summary: packageFile.description,
        description,
      },
      license: { name: packageFile.license, identifier: packageFile.license },
    },
    servers: [{ url: '.', description: 'This server.' }],
    tags,
    paths: pathsOf(operations),
    components: {
      securitySchemes,
      headers,
      responses: Object.fromEntries(sharedResponses()),
      schemas: schemas(),
    },
  };
}

/** The content of gateway/reference/openapi.json. */
export function apiDocumentText(): string {
  return `${JSON.stringify(apiDocument(), null, 1)}\n`;
}

function pathsOf(all: readonly Operation[]): object {
  const paths = Map.groupBy(all, ({ path }) => path);
  return Object.fromEntries(
    [...paths].map(([path, ofPath]) => [
      path,
      Object.fromEntries(ofPath.map((operation) => [operation.method, toPathItem(operation)])),
    ]),
  );
}

function toPathItem(operation: Operation): object {
  const { id, tag, summary, description: more, seeAlso, alsoAt, parameters, body } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(more && { description: more }),
    ...(seeAlso && { externalDocs: { url: seeAlso } }),
    ...(alsoAt?.length && { 'x-also-at': alsoAt }),
    security: securityOf(operation),
    ...(parameters && {
      parameters: parameters.map((it) => ({ ...it, ...(it.in === 'path' && { required: true }) })),
    }),
    ...(body && { requestBody: { required: body.isOptional !== true, content: bodyContent(body) } }),
    responses: responsesOf(operation),
  };
}

function securityOf({ scope, keyIsOptional }: Operation): object[] {
  if (scope === undefined) return [];
  const ways = Object.keys(securitySchemes).map((name) => ({ [name]: [scope] }));
  return keyIsOptional ? [...ways, {}] : ways;
}

function bodyContent({ json, example, form }: RequestBody): object {
  return {
    ...(json && { 'application/json': { schema: refTo(json), example } }),
    ...(form && { 'multipart/form-data': { schema: refTo(form) } }),
  };
}

function responsesOf(operation: Operation): object {
  const own = operation.responses.map((response) => [response.status, toResponse(response, operation)]);
  const taken = new Set(operation.responses.map(({ status }) => status));
  const errors = errorResponses(operation.errors, operation.style)
    .filter(({ status }) => !taken.has(status))
    .map(({ name, status }) => [status, { $ref: `#/components/responses/${name}` }]);
  return Object.fromEntries([...own, ...errors]);
}

function toResponse({ description: text, json, event, other }: ResponseSpec, { style }: Operation): object {
  const content = {
    ...(json && { 'application/json': { schema: refTo(json) } }),
    ...(event && { 'text/event-stream': { schema: refTo(event) } }),
    ...(other && { [other]: { schema: { type: other === 'application/json' ? 'object' : 'string' } } }),
  };
  const named = [
    ...commonHeaders[style],
    ...(isProxied(style)
      ? ['x-queue-wait-ms', 'openai-processing-ms', 'x-corral-repaired', 'x-corral-dropped-tools']
      : []),
  ];
  return {
    description: text,
    headers: headersNamed(named),
    ...(Object.keys(content).length > 0 && { content }),
  };
}

function sharedResponses(): [string, object][] {
  const responses = operations.flatMap(({ errors, style }) => errorResponses(errors, style));
  return responses.map(({ name, response }) => [name, response]);
}

const isProxied = (style: ResponseStyle) => style === 'engine' || style === 'anthropic';

const refTo = ({ name }: NamedSchema) => ({ $ref: `#/components/schemas/${name}` });

function schemas(): object {
  const shapes = operations.flatMap(({ body, responses }) => [
    body?.json,
    body?.form,
    ...responses.flatMap(({ json, event }) => [json, event]),
  ]);
  const all = [
    { name: 'Error', schema: errorEnvelope },
    { name: 'AnthropicError', schema: anthropicError },
    ...shapes.filter((shape) => shape !== undefined),
  ];
  for (const { name, schema } of all) component(name, schema);
  return componentSchemas();
}

import { z } from 'zod';
import packageFile from '../../package.json' with { type: 'json' };
import { codesByStatus, errorResponses } from './error-responses.ts';
import { gatewayOperations } from './gateway-operations.ts';
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
import { errorEnvelope } from './shapes/admin.ts';
import { anthropicError } from './shapes/anthropic.ts';

export const operations: readonly Operation[] = [...proxiedOperations, ...gatewayOperations];

/** Under any of these a key may be shown. */
const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'As OpenAI has it: `Authorization: Bearer KEY`.' },
  bareAuthorization: {
    ...{ type: 'apiKey', in: 'header', name: 'Authorization' },
    description: 'The key alone: `Authorization: KEY`.',
  },
  xApiKey: {
    ...{ type: 'apiKey', in: 'header', name: 'x-api-key' },
    description: 'As Anthropic has it, and for platforms that take `Authorization` for themselves.',
  },
  apiKey: { type: 'apiKey', in: 'header', name: 'api-key', description: 'As Azure has it.' },
};

const tags = [
  { name: 'OpenAI', description: "OpenAI's API, and rerank as Jina has it." },
  { name: 'Anthropic', description: "Anthropic's API; errors come in its own envelope." },
  { name: 'llama-server', description: 'In the shapes of llama-server, for keys with the scope `native`.' },
  {
    name: 'Administration',
    description: 'For keys with the scope `admin`; with `AUTH_ENABLED=false` nobody may.',
  },
  { name: 'Probes', description: 'Without a key.' },
  { name: 'Metrics', description: 'For Prometheus.' },
  { name: 'Reference', description: 'What you read.' },
];

const description = `An OpenAI-compatible endpoint in front of one llama-server.

Each operation names the scope that a key needs; with \`AUTH_ENABLED=false\` no key is needed, and nobody may administer.
Every answer carries \`x-request-id\`. Errors have OpenAI's envelope with all four fields, on \`/v1/messages\` Anthropic's.
Requests may carry \`x-request-id\` and \`traceparent\`.

A path that there is not is 404 \`unknown_url\`, another method 405 \`method_not_allowed\` with \`Allow\`. All codes:

${codesByStatus()}`;

/** The whole surface as an OpenAPI 3.1 document, made from the routes, the refusals and the shapes that the code and its tests use. */
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

/** As it is kept in gateway/reference/openapi.json. */
export function apiDocumentText(): string {
  return `${JSON.stringify(apiDocument(), null, 1)}\n`;
}

function pathsOf(all: readonly Operation[]): object {
  const paths = Map.groupBy(all, ({ path }) => path);
  return Object.fromEntries(
    [...paths].map(([path, ofPath]) => [
      path,
      Object.fromEntries(ofPath.map((operation) => [operation.method, show(operation)])),
    ]),
  );
}

function show(operation: Operation): object {
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
    'application/json': { schema: refTo(json), example },
    ...(form && { 'multipart/form-data': { schema: refTo(form) } }),
  };
}

function responsesOf(operation: Operation): object {
  const answered = operation.answers.map((answer) => [answer.status, answerOf(answer, operation)]);
  const taken = new Set(operation.answers.map(({ status }) => status));
  const refused = errorResponses(operation.errors, operation.manner)
    .filter(({ status }) => !taken.has(status))
    .map(({ name, status }) => [status, { $ref: `#/components/responses/${name}` }]);
  return Object.fromEntries([...answered, ...refused]);
}

function answerOf({ description: text, json, event, other }: ResponseSpec, { manner }: Operation): object {
  const content = {
    ...(json && { 'application/json': { schema: refTo(json) } }),
    ...(event && { 'text/event-stream': { schema: refTo(event) } }),
    ...(other && { [other]: { schema: { type: other === 'application/json' ? 'object' : 'string' } } }),
  };
  const named = [
    ...commonHeaders[manner],
    ...(isCarried(manner)
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
  const responses = operations.flatMap(({ errors, manner }) => errorResponses(errors, manner));
  return responses.map(({ name, response }) => [name, response]);
}

const isCarried = (manner: ResponseStyle) => manner === 'engine' || manner === 'anthropic';

const refTo = ({ name }: NamedSchema) => ({ $ref: `#/components/schemas/${name}` });

function schemas(): object {
  const shapes = operations.flatMap(({ body, answers }) => [
    body?.json,
    body?.form,
    ...answers.flatMap(({ json, event }) => [json, event]),
  ]);
  const all = [
    { name: 'Error', schema: errorEnvelope },
    { name: 'AnthropicError', schema: anthropicError },
    ...shapes.filter((shape) => shape !== undefined),
  ];
  return Object.fromEntries(all.map(({ name, schema }) => [name, jsonSchemaOf(schema)]));
}

/** Open: the tests are strict, while a llama-server of another day may tell more. */
function jsonSchemaOf(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return rest;
}

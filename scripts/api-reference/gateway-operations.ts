import { z } from 'zod';
import { groupsFormat, sinceFormat } from '../../gateway/usage/usage-query.ts';
import { errorGroups } from './error-examples.ts';
import { modelOperations } from './model-operations.ts';
import type { Operation } from './operation.ts';
import * as own from './shapes/admin.ts';
import { anthropicModel, anthropicModelList, modelList, modelObject } from './shapes/models.ts';

const text = { type: 'string' };
const probe = { method: 'get', tag: 'Probes', errors: errorGroups.open, style: 'plain' } as const;
const admin = { tag: 'Administration', scope: 'admin', errors: errorGroups.admin, style: 'plain' } as const;
const models = { method: 'get', tag: 'OpenAI', scope: 'inference', style: 'listing' } as const;
const requestId = {
  name: 'id',
  in: 'path',
  description: 'The `x-request-id` of the request, which may contain slashes.',
  schema: text,
} as const;

/** The operations that the gateway itself serves. */
export const gatewayOperations: readonly Operation[] = [
  {
    ...{ ...models, path: '/v1/models', alsoAt: ['/models'], id: 'listModels', summary: 'List the models' },
    responses: [
      {
        status: 200,
        description:
          "The models that the key may use. A client that sends `anthropic-version` gets Anthropic's format, in pages (`limit`, `after_id`, `before_id`).",
        json: { name: 'ModelList', schema: z.union([modelList, anthropicModelList]) },
      },
    ],
    errors: [...errorGroups.keyed, 'modelLoading'],
  },
  {
    ...{
      ...models,
      path: '/v1/models/{id}',
      alsoAt: ['/models/{id}'],
      id: 'showModel',
      summary: 'Get a model',
    },
    parameters: [
      { name: 'id', in: 'path', description: 'A public name, which may contain slashes.', schema: text },
    ],
    responses: [
      {
        status: 200,
        description: 'The model.',
        json: { name: 'Model', schema: z.union([modelObject, anthropicModel]) },
      },
    ],
    errors: [...errorGroups.keyed, 'modelNotFound', 'modelLoading'],
  },
  {
    ...{
      ...probe,
      path: '/ping',
      id: 'ping',
      summary: 'Health probe for platforms: whether to send requests',
    },
    responses: [
      { status: 200, description: 'Ready.' },
      { status: 204, description: 'Starting, loading or restarting: requests wait.' },
      { status: 503, description: 'Draining or failed.' },
    ],
  },
  {
    ...{ ...probe, path: '/health', id: 'health', summary: 'Get the status, the queue and the slots' },
    responses: [
      { status: 200, description: 'Ready.', json: { name: 'Health', schema: own.health } },
      { status: 503, description: 'Not ready.', json: { name: 'Health', schema: own.health } },
    ],
  },
  {
    ...{ ...probe, path: '/livez', id: 'livez', summary: 'Liveness probe' },
    responses: [{ status: 200, description: 'The gateway is running.', other: 'text/plain' }],
  },
  {
    ...{ ...probe, path: '/readyz', id: 'readyz', summary: 'Readiness probe' },
    responses: [
      { status: 200, description: 'Requests are served at once.', other: 'text/plain' },
      { status: 503, description: 'Not ready; the body is the status.', other: 'text/plain' },
    ],
  },
  {
    ...{
      method: 'get',
      path: '/metrics',
      id: 'metrics',
      tag: 'Metrics',
      summary: 'Get all metrics in the format of Prometheus',
    },
    description:
      'With `METRICS_AUTH_ENABLED=true`, a key with the scope `metrics` or `admin` is required. Without it everybody gets all metrics except those of single keys.',
    ...{ scope: 'metrics', keyIsOptional: true, errors: errorGroups.keyed, style: 'plain' },
    responses: [{ status: 200, description: 'The metrics.', other: 'text/plain' }],
  },
  {
    ...{
      method: 'get',
      path: '/openapi.json',
      id: 'openapi',
      tag: 'Reference',
      summary: 'Get this document',
    },
    responses: [
      { status: 200, description: 'OpenAPI 3.1.', other: 'application/json' },
      { status: 304, description: 'The document has not changed (`If-None-Match`).' },
    ],
    errors: errorGroups.open,
    style: 'plain',
  },
  {
    ...{ ...admin, method: 'get', path: '/admin/keys', id: 'listKeys', summary: 'List the active keys' },
    responses: [
      {
        status: 200,
        description: 'The keys, without their secrets.',
        json: { name: 'KeyList', schema: own.keyList },
      },
    ],
  },
  {
    ...{ ...admin, method: 'get', path: '/admin/usage', id: 'usage', summary: 'Get the usage of all keys' },
    parameters: [
      {
        name: 'since',
        in: 'query',
        description: `${sinceFormat}; the default is 30d.`,
        schema: text,
      },
      {
        name: 'until',
        in: 'query',
        description: 'The first day that is not included, like since; the default is until now.',
        schema: text,
      },
      { name: 'key', in: 'query', description: 'Only this key.', schema: text },
      {
        name: 'by',
        in: 'query',
        description: `${groupsFormat}. Models are known only where there are several, and users only of keys that tell them apart.`,
        schema: text,
      },
    ],
    responses: [
      {
        status: 200,
        description: 'The usage, up to the last request.',
        json: { name: 'UsageReport', schema: own.usageReport },
      },
    ],
    errors: [...errorGroups.admin, 'invalidValue'],
  },
  {
    ...{
      ...admin,
      method: 'get',
      path: '/admin/requests',
      id: 'listRequests',
      summary: 'List the requests in progress',
    },
    responses: [
      {
        status: 200,
        description: 'The requests, oldest first.',
        json: { name: 'RequestList', schema: own.requestList },
      },
    ],
  },
  {
    ...{
      ...admin,
      method: 'delete',
      path: '/admin/requests/{id}',
      id: 'cancelRequest',
      summary: 'Cancel a request',
    },
    parameters: [requestId],
    responses: [
      {
        status: 200,
        description: 'Cancelled: its client gets 403 `request_cancelled`, or an error event with this code.',
        json: { name: 'Cancelled', schema: own.cancelled },
      },
    ],
    errors: [...errorGroups.admin, 'requestNotFound'],
  },
  {
    ...{
      ...admin,
      method: 'post',
      path: '/admin/restart',
      id: 'restartEngine',
      summary: 'Restart llama-server',
    },
    description: 'No request is lost: requests in progress are completed, and new ones wait.',
    body: {
      json: { name: 'RestartRequest', schema: own.restartRequest },
      example: { CTX: 8192 },
      isOptional: true,
    },
    responses: [
      {
        status: 202,
        description: 'The restart has begun.',
        json: { name: 'RestartAccepted', schema: own.restartAccepted },
      },
    ],
    errors: [
      ...errorGroups.admin,
      ...(['invalidJson', 'invalidRestart', 'requestTimeout', 'payloadTooLarge'] as const),
      ...(['restartInProgress', 'restartNotSupported'] as const),
    ],
  },
  ...modelOperations,
  {
    ...{ ...admin, method: 'post', path: '/reload', id: 'reload', summary: 'Reload the key file' },
    responses: [
      {
        status: 200,
        description: 'The key file is in effect.',
        json: { name: 'Reloaded', schema: own.reloaded },
      },
    ],
    errors: [...errorGroups.admin, 'keyFileInvalid'],
  },
];

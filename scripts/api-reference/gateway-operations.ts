import { z } from 'zod';
import { sinceFormat } from '../../gateway/usage/usage-report.ts';
import { errorGroups } from './error-examples.ts';
import type { Operation } from './operation.ts';
import * as house from './shapes/admin.ts';
import { anthropicModel, anthropicModelList, modelList, modelObject } from './shapes/models.ts';

const text = { type: 'string' };
const probe = { method: 'get', tag: 'Probes', errors: errorGroups.open, manner: 'plain' } as const;
const admin = { tag: 'Administration', scope: 'admin', errors: errorGroups.admin, manner: 'plain' } as const;
const models = { method: 'get', tag: 'OpenAI', scope: 'inference', manner: 'listing' } as const;
const requestId = {
  name: 'id',
  in: 'path',
  description: 'Its `x-request-id`, which may hold slashes.',
  schema: text,
} as const;

/** What the gateway answers by itself. */
export const gatewayOperations: readonly Operation[] = [
  {
    ...{ ...models, path: '/v1/models', alsoAt: ['/models'], id: 'listModels', summary: 'List the models' },
    answers: [
      {
        status: 200,
        description:
          'Those that the key may use. To a client that sends `anthropic-version` in the shape of Anthropic, by pages (`limit`, `after_id`, `before_id`).',
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
      summary: 'Show a model',
    },
    parameters: [
      { name: 'id', in: 'path', description: 'A public name, which may hold slashes.', schema: text },
    ],
    answers: [
      {
        status: 200,
        description: 'The model.',
        json: { name: 'Model', schema: z.union([modelObject, anthropicModel]) },
      },
    ],
    errors: [...errorGroups.keyed, 'modelNotFound', 'modelLoading'],
  },
  {
    ...{ ...probe, path: '/ping', id: 'ping', summary: 'Tell a platform whether to send requests' },
    answers: [
      { status: 200, description: 'Ready.' },
      { status: 204, description: 'Starting, loading or restarting: requests wait.' },
      { status: 503, description: 'Draining or failed.' },
    ],
  },
  {
    ...{ ...probe, path: '/health', id: 'health', summary: 'Tell the standing, the line and the slots' },
    answers: [
      { status: 200, description: 'Ready.', json: { name: 'Health', schema: house.health } },
      { status: 503, description: 'Not ready.', json: { name: 'Health', schema: house.health } },
    ],
  },
  {
    ...{ ...probe, path: '/livez', id: 'livez', summary: 'Tell whether the gateway lives' },
    answers: [{ status: 200, description: 'It does.', other: 'text/plain' }],
  },
  {
    ...{ ...probe, path: '/readyz', id: 'readyz', summary: 'Tell whether requests are answered at once' },
    answers: [
      { status: 200, description: 'They are.', other: 'text/plain' },
      { status: 503, description: 'The standing.', other: 'text/plain' },
    ],
  },
  {
    ...{
      method: 'get',
      path: '/metrics',
      id: 'metrics',
      tag: 'Metrics',
      summary: "Show all figures in Prometheus' form",
    },
    description:
      'Asks for a key with the scope `metrics` or `admin` where `METRICS_AUTH_ENABLED=true`; where that is unset everybody sees all but the figures of single keys.',
    ...{ scope: 'metrics', keyIsOptional: true, errors: errorGroups.keyed, manner: 'plain' },
    answers: [{ status: 200, description: 'The figures.', other: 'text/plain' }],
  },
  {
    ...{
      method: 'get',
      path: '/openapi.json',
      id: 'openapi',
      tag: 'Reference',
      summary: 'Show this document',
    },
    answers: [
      { status: 200, description: 'OpenAPI 3.1.', other: 'application/json' },
      { status: 304, description: 'It is as its reader has it (`If-None-Match`).' },
    ],
    errors: errorGroups.open,
    manner: 'plain',
  },
  {
    ...{ ...admin, method: 'get', path: '/admin/keys', id: 'listKeys', summary: 'List the keys in force' },
    answers: [
      { status: 200, description: 'No secret among them.', json: { name: 'KeyList', schema: house.keyList } },
    ],
  },
  {
    ...{ ...admin, method: 'get', path: '/admin/usage', id: 'usage', summary: 'Show who used what' },
    parameters: [
      {
        name: 'since',
        in: 'query',
        description: `${sinceFormat}; 30d where it is not given.`,
        schema: text,
      },
      { name: 'key', in: 'query', description: 'One key alone.', schema: text },
      { name: 'by', in: 'query', description: 'What to have a line for.', schema: { enum: ['key', 'day'] } },
    ],
    answers: [
      {
        status: 200,
        description: 'To the last request.',
        json: { name: 'UsageReport', schema: house.usageReport },
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
      summary: 'List what is under way',
    },
    answers: [
      {
        status: 200,
        description: 'The oldest first.',
        json: { name: 'RequestList', schema: house.requestList },
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
    answers: [
      {
        status: 200,
        description: 'Its client gets 403 `request_cancelled`, or an error event of that code.',
        json: { name: 'Cancelled', schema: house.cancelled },
      },
    ],
    errors: [...errorGroups.admin, 'requestNotFound'],
  },
  {
    ...{
      ...admin,
      method: 'post',
      path: '/admin/restart',
      id: 'restart',
      summary: 'Start llama-server anew',
    },
    description: 'Drops no request: those under way finish, new ones wait.',
    body: {
      json: { name: 'RestartWish', schema: house.restartRequest },
      example: { CTX: 8192 },
      isOptional: true,
    },
    answers: [
      {
        status: 202,
        description: 'It is under way.',
        json: { name: 'RestartAccepted', schema: house.restartAccepted },
      },
    ],
    errors: [
      ...errorGroups.admin,
      ...(['invalidJson', 'invalidRestart', 'requestTimeout', 'payloadTooLarge'] as const),
      ...(['restartInProgress', 'restartNotSupported'] as const),
    ],
  },
  {
    ...{ ...admin, method: 'post', path: '/reload', id: 'reload', summary: 'Read the key file now' },
    answers: [
      { status: 200, description: 'It is in force.', json: { name: 'Reloaded', schema: house.reloaded } },
    ],
    errors: [...errorGroups.admin, 'keyFileInvalid'],
  },
];

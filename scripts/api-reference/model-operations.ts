import { errorGroups } from './error-examples.ts';
import type { Operation } from './operation.ts';
import * as own from './shapes/admin-models.ts';

const admin = { tag: 'Administration', scope: 'admin', errors: errorGroups.admin, style: 'plain' } as const;
const text = { type: 'string' };
const ofModel = {
  name: 'id',
  in: 'path',
  description: 'The id of a model, which may contain slashes.',
  schema: text,
} as const;
const ofAlias = {
  name: 'name',
  in: 'path',
  description: 'The name of an alias, which may contain slashes.',
  schema: text,
} as const;

const action = (verb: 'load' | 'unload' | 'restart', summary: string, description: string): Operation => ({
  ...{
    ...admin,
    method: 'post',
    path: `/admin/models/{id}/${verb}`,
    id: `${verb}Model`,
    summary,
    description,
  },
  parameters: [ofModel],
  responses: [
    {
      status: 202,
      description: 'Requested. `GET /admin/models` reports the status of the model.',
      json: { name: 'ModelActionAccepted', schema: own.modelActionAccepted },
    },
  ],
  errors: [
    ...errorGroups.admin,
    ...(['modelNotFound', 'modelActionInProgress', 'changeRejected', 'modelActionsNotSupported'] as const),
  ],
});

const aliasResponse = {
  status: 200,
  description: 'The alias as it is written in `models.json`. It applies within a second.',
  json: { name: 'Alias', schema: own.alias },
} as const;

const errorsOfAlias = [
  ...errorGroups.admin,
  ...(['changeRejected', 'registryUnusable', 'modelActionsNotSupported'] as const),
] as const;
const errorsOfBody = ['invalidJson', 'invalidAlias', 'requestTimeout', 'payloadTooLarge'] as const;

/** Administration of several models. */
export const modelOperations: readonly Operation[] = [
  {
    ...{ ...admin, method: 'get', path: '/admin/models', id: 'listModelStates' },
    summary: 'List the models with their status, and the aliases',
    responses: [
      {
        status: 200,
        description: 'All models, those that clients cannot see included.',
        json: { name: 'ModelStates', schema: own.modelStates },
      },
    ],
    errors: [...errorGroups.admin, 'modelActionsNotSupported'],
  },
  action('load', 'Load a model', 'As if a request waited for it. A model that has failed is tried again.'),
  action('unload', 'Unload a model', 'Its requests finish first. A pinned model is not unloaded.'),
  action(
    'restart',
    'Restart a model',
    'Its requests finish first, and new ones wait. One that is not loaded is loaded.',
  ),
  {
    ...{ ...admin, method: 'put', path: '/admin/aliases/{name}', id: 'putAlias' },
    summary: 'Create an alias, or change what it points at',
    parameters: [ofAlias],
    body: {
      json: { name: 'AliasTargets', schema: own.aliasTargets },
      example: {
        targets: [
          { model: 'qwen3-8b', weight: 90 },
          { model: 'qwen3-14b', weight: 10 },
        ],
      },
    },
    responses: [aliasResponse],
    errors: [...errorsOfAlias, ...errorsOfBody],
  },
  {
    ...{ ...admin, method: 'post', path: '/admin/aliases/{name}/promote', id: 'promoteAlias' },
    summary: 'Point an alias at one model',
    parameters: [ofAlias],
    body: { json: { name: 'Promotion', schema: own.promotion }, example: { to: 'qwen3-14b' } },
    responses: [aliasResponse],
    errors: [...errorsOfAlias, ...errorsOfBody, 'aliasNotFound'],
  },
  {
    ...{ ...admin, method: 'post', path: '/admin/aliases/{name}/rollback', id: 'rollBackAlias' },
    summary: 'Go back to what an alias pointed at before',
    parameters: [ofAlias],
    responses: [aliasResponse],
    errors: [...errorsOfAlias, 'aliasNotFound'],
  },
];

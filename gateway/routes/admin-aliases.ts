import { FileError } from '../../fs/file-error.ts';
import {
  promote,
  RegistryChangeError,
  rollBack,
  setAlias,
  UnknownNameError,
} from '../../models/edit-registry.ts';
import type { RegistryDocument, WrittenTarget } from '../../models/registry-document.ts';
import { updateRegistryFile } from '../../models/registry-file.ts';
import { InvalidAliasError, requestedModel, requestedTargets } from '../../models/requested-targets.ts';
import { isJsonObject } from '../api/json.ts';
import type { RegistryPlace } from '../config.ts';
import type { CanaryRetry } from '../engines/model-directory.ts';
import {
  aliasNotFound,
  changeRejected,
  invalidAlias,
  modelActionsNotSupported,
  registryUnusable,
} from '../errors/catalogue.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import { readJson } from './read-json.ts';

export interface AliasRouteOptions {
  readonly supervisor: { readonly isPresent: boolean };
  /** Undefined with one model. */
  readonly registry: RegistryPlace | undefined;
  /** Undefined with one model. */
  readonly directory: CanaryRetry | undefined;
  /** For the body, ms. */
  readonly idleTimeout: number;
}

const EXPECTED_TARGETS = 'an object with targets, such as {"targets":[{"model":"qwen3-8b","weight":90}]}';
const EXPECTED_MODEL = 'the id of a model, such as {"to":"qwen3-8b"}';

/** `PUT /admin/aliases/{name}`: creates an alias, or changes what it points at. */
export function putAlias(options: AliasRouteOptions) {
  return async (c: GatewayContext) => {
    const fields = await readFields(c, options, EXPECTED_TARGETS);
    return changeAlias(c, options, (document, name, modelsDir) =>
      setAlias(document, name, requestedTargets(document, name, fields, modelsDir)),
    );
  };
}

/** `POST /admin/aliases/{name}/promote`: points the alias at one model. */
export function promoteAlias(options: AliasRouteOptions) {
  return async (c: GatewayContext) => {
    const fields = await readFields(c, options, EXPECTED_MODEL);
    return changeAlias(c, options, (document, name) =>
      promote(document, name, requestedModel(document, fields)),
    );
  };
}

/** `POST /admin/aliases/{name}/rollback`: goes back to the targets before the last change. */
export function rollBackAlias(options: AliasRouteOptions) {
  return (c: GatewayContext) => changeAlias(c, options, rollBack);
}

async function readFields(c: GatewayContext, { idleTimeout }: AliasRouteOptions, expected: string) {
  const fields = await readJson(c.env.incoming, idleTimeout, expected);
  if (!isJsonObject(fields)) throw invalidAlias([`expected ${expected}`]);
  return fields;
}

type Change = (document: RegistryDocument, name: string, modelsDir: string) => RegistryDocument;

/** Everybody who serves by the file applies it within a second, as if it had been edited by hand. */
async function changeAlias(c: GatewayContext, options: AliasRouteOptions, change: Change) {
  const { supervisor, registry, directory } = options;
  if (!supervisor.isPresent) throw modelActionsNotSupported();
  if (registry === undefined) throw changeRejected(hasOneModel);
  const name = c.req.param('name') ?? '';
  const { file, modelsDir } = registry;
  let changed: RegistryDocument | undefined;
  try {
    await updateRegistryFile(file, modelsDir, (document) => {
      changed = change(document, name, modelsDir);
      return changed;
    });
  } catch (error) {
    throw explain(error, name);
  }
  const alias = changed?.aliases.find((one) => one.name === name);
  const targets = alias?.targets.map(withWeight) ?? [];
  directory?.retryCanaries(name, targets);
  return c.json({
    name,
    targets,
    previous: alias?.previous?.map(withWeight) ?? null,
  });
}

const hasOneModel =
  'this server has one model, and aliases need a models.json; see "corral models add --help"';

const withWeight = ({ model, weight = 1 }: WrittenTarget) => ({ model, weight });

function explain(error: unknown, name: string): unknown {
  if (error instanceof InvalidAliasError) return invalidAlias(error.problems);
  if (error instanceof UnknownNameError) return aliasNotFound(name);
  if (error instanceof RegistryChangeError) return changeRejected(error.message);
  return error instanceof FileError ? registryUnusable(error.message) : error;
}

import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { IngressRoute } from '@kubernetes-models/traefik/traefik.io/v1alpha1/IngressRoute';
import { Middleware } from '@kubernetes-models/traefik/traefik.io/v1alpha1/Middleware';
import { Ajv } from 'ajv';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { PersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import type { Manifest } from './render-chart.ts';

interface Model {
  readonly apiVersion: string;
  readonly kind: string;
  readonly prototype: { validate(): void };
}

const core: readonly Model[] = [
  Deployment,
  Ingress,
  NetworkPolicy,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  Secret,
  Service,
  ServiceAccount,
];
const operators: readonly Model[] = [IngressRoute, Middleware, ScaledObject, ServiceMonitor];
const models = new Map([...core, ...operators].map((model) => [`${model.apiVersion} ${model.kind}`, model]));
const ajv = new Ajv({ allErrors: true });

/** Errors of a manifest by the schema of its kind, including unknown fields. */
export function validateManifest(manifest: Manifest): string[] {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const model = models.get(kind);
  if (model) return validateByModel(manifest, model);
  const schema = ownSchemas[kind];
  if (!schema) return [`no schema for ${kind}`];
  const validate = ajv.compile(schema);
  return validate(manifest.spec) ? [] : [ajv.errorsText(validate.errors)];
}

function validateByModel(manifest: Manifest, { prototype }: Model): string[] {
  const { watched, unread } = watchReads(manifest);
  try {
    prototype.validate.call(watched);
  } catch (error) {
    return [(error as Error).message];
  }
  return unread().map((field) => `${field} is an unknown field`);
}

/** An object whose property reads are recorded. */
interface Watched<T extends object> {
  readonly watched: T;
  /** The properties that were not read, of all objects of which one was read. */
  unread(): string[];
}

interface Place {
  readonly at: string;
  readonly target: object;
  readonly read: Set<PropertyKey>;
}

/**
 * A validator that was generated from a schema reads the fields of the schema, so an unread field is not in the schema, and
 * most likely misspelt. An object of which nothing was read may contain anything.
 */
function watchReads<T extends object>(value: T): Watched<T> {
  const places: Place[] = [];
  const proxies = new Map<object, object>();
  const watch = <Part extends object>(target: Part, at: string): Part => {
    const known = proxies.get(target);
    if (known) return known as Part;
    const place: Place = { at, target, read: new Set() };
    places.push(place);
    const proxy = new Proxy(target, {
      get(_, name) {
        place.read.add(name);
        const found: unknown = Reflect.get(target, name);
        const isOwn = typeof found === 'object' && found !== null && Object.hasOwn(target, name);
        return isOwn ? watch(found, `${at}/${String(name)}`) : found;
      },
    });
    proxies.set(target, proxy);
    return proxy;
  };
  return { watched: watch(value, ''), unread: () => places.flatMap(unreadIn) };
}

function unreadIn({ at, target, read }: Place): string[] {
  if (Array.isArray(target) || read.size === 0) return [];
  return Object.keys(target)
    .filter((name) => !read.has(name))
    .map((name) => `${at}/${name}`);
}

/**
 * No package has the schemas of KEDA's HTTP add-on and of the Gateway API Inference Extension. These contain what the chart
 * uses, written after the definitions (http-add-on 0.16, InferencePool v1).
 */
const ownSchemas: Readonly<Record<string, object>> = {
  'http.keda.sh/v1beta1 InterceptorRoute': strict(['target', 'rules', 'scalingMetric', 'timeouts'], {
    target: strict(['service', 'port'], { service: text(), port: port() }),
    rules: listOf(strict(['hosts'], { hosts: listOf(text()) })),
    scalingMetric: strict(['concurrency'], {
      concurrency: strict(['targetValue'], { targetValue: count() }),
    }),
    timeouts: strict(['readiness'], { readiness: seconds(), request: seconds(), responseHeader: seconds() }),
  }),
  'http.keda.sh/v1alpha1 HTTPScaledObject': strict(['hosts', 'scaleTargetRef', 'replicas'], {
    hosts: listOf(text()),
    scaleTargetRef: strict(['apiVersion', 'kind', 'name', 'service', 'port'], {
      apiVersion: { const: 'apps/v1' },
      kind: { const: 'Deployment' },
      name: text(),
      service: text(),
      port: port(),
    }),
    replicas: strict(['min', 'max'], { min: { const: 0 }, max: count() }),
    scaledownPeriod: { type: 'integer', minimum: 0 },
    scalingMetric: strict(['concurrency'], {
      concurrency: strict(['targetValue'], { targetValue: count() }),
    }),
    timeouts: strict([], { conditionWait: seconds(), responseHeader: seconds() }),
  }),
  'inference.networking.k8s.io/v1 InferencePool': strict(['selector', 'targetPorts', 'endpointPickerRef'], {
    selector: strict(['matchLabels'], {
      matchLabels: { type: 'object', minProperties: 1, additionalProperties: text() },
    }),
    targetPorts: { ...listOf(strict(['number'], { number: port() })), maxItems: 8 },
    endpointPickerRef: strict(['name', 'port'], {
      name: text(),
      port: strict(['number'], { number: port() }),
      failureMode: { enum: ['FailOpen', 'FailClose'] },
    }),
  }),
};

function strict(required: readonly string[], properties: Readonly<Record<string, object>>) {
  return { type: 'object', additionalProperties: false, required, properties };
}

function listOf(items: object) {
  return { type: 'array', minItems: 1, items };
}

function text() {
  return { type: 'string', minLength: 1 };
}

function port() {
  return { type: 'integer', minimum: 1, maximum: 65535 };
}

function count() {
  return { type: 'integer', minimum: 1 };
}

function seconds() {
  return { type: 'string', pattern: '^[0-9]+s$' };
}

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
import { ownSchemas } from './own-schemas.ts';
import type { Manifest } from './render-chart.ts';
import { watchReads } from './watch-reads.ts';

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

/** What the schema of its kind says against a manifest, fields that it does not know included. */
export function mistakesIn(manifest: Manifest): string[] {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const model = models.get(kind);
  if (model) return mistakesByModel(manifest, model);
  const schema = ownSchemas[kind];
  if (!schema) return [`there is no schema for ${kind}`];
  const validate = ajv.compile(schema);
  return validate(manifest.spec) ? [] : [ajv.errorsText(validate.errors)];
}

function mistakesByModel(manifest: Manifest, { prototype }: Model): string[] {
  const { watched, unread } = watchReads(manifest);
  try {
    prototype.validate.call(watched);
  } catch (error) {
    return [(error as Error).message];
  }
  return unread().map((field) => `${field} is unknown`);
}

import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { Manifest, Rendered } from './render-chart.ts';

/** The only object of a kind, or the one whose name ends with `name`. */
export function objectOf<Content = unknown>(
  { manifests }: Rendered,
  kind: string,
  name = '',
): Manifest & Content {
  const found = manifests.filter((it) => it.kind === kind && it.metadata.name.endsWith(name));
  if (found.length !== 1) throw new Error(`expected one ${kind}, found ${found.length}`);
  return found[0] as Manifest & Content;
}

export function specOf<Spec>(rendered: Rendered, kind: string, name = ''): Spec {
  return objectOf(rendered, kind, name).spec as Spec;
}

export interface DeploymentParts {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Labels };
    readonly strategy: unknown;
    readonly template: { readonly metadata: { readonly labels: Labels; readonly annotations?: Labels } };
  };
  readonly pod: IPodSpec;
  readonly container: IContainer;
  /** The variables with a literal value. */
  readonly env: Readonly<Record<string, string>>;
}

export type Labels = Readonly<Record<string, string>>;

export function partsOfDeployment(rendered: Rendered): DeploymentParts {
  const { spec } = objectOf(rendered, 'Deployment');
  const deployment = spec as DeploymentParts['spec'] & { readonly template: { readonly spec: IPodSpec } };
  const pod = deployment.template.spec;
  const [container, ...others] = pod.containers;
  if (!container || others.length > 0) throw new Error('expected one container');
  const env = (container.env ?? []).flatMap(({ name, value }) =>
    value === undefined ? [] : [[name, value]],
  );
  return { spec: deployment, pod, container, env: Object.fromEntries(env) };
}

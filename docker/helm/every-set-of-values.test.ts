import type { IProbe } from 'kubernetes-models/v1/Probe';
import { describe, expect, it } from 'vitest';
import type { BackendStatus } from '../../health/backend.ts';
import { healthResponse } from '../../health/health-response.ts';
import { readSettings } from '../../settings/read-settings.ts';
import type { Variable } from '../../settings/variable.ts';
import { variables } from '../../settings/variables.ts';
import { loadChart } from '../../test/helm/chart.ts';
import { type Labels, objectOf, partsOfDeployment, specOf } from '../../test/helm/manifests.ts';
import type { Manifest } from '../../test/helm/render-chart.ts';
import { validateManifest } from '../../test/helm/validate-manifest.ts';

const { canRender, names, chart, render } = await loadChart();
const severalPods = ['everything', 'existing-secret'];

describe.skipIf(!canRender)('the chart, with each set of values,', () => {
  it.each(names)('renders objects that Kubernetes and the operators accept: %s', (name) => {
    const { manifests } = chart(name);
    expect(manifests.length).toBeGreaterThan(1);
    expect(
      manifests.flatMap((it) => validateManifest(it).map((mistake) => `${it.kind}: ${mistake}`)),
    ).toEqual([]);
    const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('would fail this check with an unknown field or a wrong type', () => {
    for (const { kind, ...manifest } of chart('everything').manifests) {
      const spec = 'spec' in manifest ? { ...(manifest.spec as object), specc: 1 } : undefined;
      const misspelt = { ...manifest, kind, ...(spec ? { spec } : { datta: {} }) } as Manifest;
      expect(validateManifest(misspelt), kind).not.toEqual([]);
    }
    const service = objectOf(chart('defaults'), 'Service');
    expect(validateManifest({ ...service, spec: { ports: [{ port: 'eighty' }] } })).not.toEqual([]);
  });

  it('sets only variables that exist, to valid values', () => {
    for (const name of names) {
      const { container, env } = partsOfDeployment(chart(name));
      const known = (variable: string) =>
        variable.replace(/_FILE$/, '') in variables || variable in variables;
      const all = (container.env ?? []).map((variable) => variable.name);
      expect(all.filter((variable) => !known(variable))).toEqual([]);
      expect(new Set(all).size).toBe(all.length);
      // The file exists only in the pod.
      const { HF_TOKEN_FILE: _, ...here } = env;
      const { problems, warnings } = readSettings(here);
      expect([...problems, ...warnings]).toEqual([]);
      expect(Object.values(env).filter((value) => /e\+/.test(value))).toEqual([]);
    }
  });

  it('has secrets only in Secrets, and none in arguments', () => {
    const all: readonly (readonly [string, Variable])[] = Object.entries(variables);
    const secrets = all.filter(([, { secret }]) => secret).map(([name]) => name);
    for (const name of names) {
      const { manifests } = chart(name);
      const { container, env } = partsOfDeployment(chart(name));
      expect(manifests.map(({ kind }) => kind)).not.toContain('ConfigMap');
      expect([container.command, container.args]).toEqual([undefined, undefined]);
      expect(Object.keys(env).filter((variable) => secrets.includes(variable))).toEqual([]);
    }
  });

  it('uses the right probe of the health server for each purpose', () => {
    const told = (probe: IProbe | undefined, standing: BackendStatus, everReady: boolean) =>
      healthResponse(probe?.httpGet?.path ?? '', 'GET', { status: standing, everReady, details: {} }).status;
    for (const name of names) {
      const { container, env } = partsOfDeployment(chart(name));
      const { startupProbe, readinessProbe, livenessProbe, ports = [] } = container;
      for (const probe of [startupProbe, readinessProbe, livenessProbe])
        expect(probe?.httpGet?.port).toBe('health');
      expect(ports.map((port) => [port.name, String(port.containerPort)])).toEqual([
        ['http', env.PORT],
        ['health', env.PORT_HEALTH],
      ]);
      expect([told(startupProbe, 'loading', false), told(startupProbe, 'ready', true)]).toEqual([503, 200]);
      const isOneOfSeveral = severalPods.includes(name);
      expect([name, told(readinessProbe, 'ready', true), told(readinessProbe, 'failed', true)]).toEqual([
        name,
        200,
        503,
      ]);
      expect(told(readinessProbe, 'restarting', true)).toBe(isOneOfSeveral ? 503 : 200);
      expect(told(readinessProbe, 'draining', true)).toBe(isOneOfSeveral ? 503 : 200);
      expect([told(livenessProbe, 'restarting', true), told(livenessProbe, 'draining', true)]).toEqual([
        200, 200,
      ]);
      expect(told(livenessProbe, 'failed', true)).toBe(503);
    }
  });

  it('allows LOAD_TIMEOUT for a load, and more than DRAIN_TIMEOUT for a stop', async () => {
    const long = await render('defaults', { timeouts: { load: 7205, drain: 300, preStop: 15 } });
    for (const rendered of [...names.map(chart), long]) {
      const { pod, container, env } = partsOfDeployment(rendered);
      const { failureThreshold = 0, periodSeconds = 0 } = container.startupProbe ?? {};
      const { LOAD_TIMEOUT, DRAIN_TIMEOUT } = readSettings(env).settings;
      expect(failureThreshold * periodSeconds * 1000).toBeGreaterThanOrEqual(LOAD_TIMEOUT + 60_000);
      const preStop = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
      const forChildren = (pod.terminationGracePeriodSeconds ?? 0) - preStop - DRAIN_TIMEOUT / 1000;
      expect(forChildren).toBeGreaterThanOrEqual(15);
    }
    expect(partsOfDeployment(long).env).toMatchObject({ LOAD_TIMEOUT: '7205', DRAIN_TIMEOUT: '300' });
  });

  it('selects its pods and no other object', () => {
    const selected = (labels: Labels, by: Labels) =>
      Object.entries(by).every(([name, value]) => labels[name] === value);
    for (const name of names) {
      const rendered = chart(name);
      const { spec } = partsOfDeployment(rendered);
      const selectors = rendered.manifests.flatMap((it) => selectorsOf(it));
      expect(selectors.length).toBeGreaterThan(0);
      for (const selector of [spec.selector.matchLabels, ...selectors]) {
        expect(Object.keys(selector).sort()).toEqual([
          'app.kubernetes.io/instance',
          'app.kubernetes.io/name',
        ]);
        expect(selected(spec.template.metadata.labels, selector)).toBe(true);
      }
    }
    const rendered = chart('everything');
    const { selector } = specOf<{ selector: { matchLabels: Labels } }>(rendered, 'ServiceMonitor');
    const services = rendered.manifests.filter(({ kind }) => kind === 'Service');
    const watched = services.filter(({ metadata }) => selected(metadata.labels, selector.matchLabels));
    expect(watched.map(({ metadata }) => metadata.name)).toEqual(['gpt']);
  });

  it('runs without privileges', () => {
    for (const name of names) {
      const { pod, container } = partsOfDeployment(chart(name));
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 10001,
        fsGroup: 10001,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect([pod.automountServiceAccountToken, pod.enableServiceLinks]).toEqual([false, false]);
      // The mounted folders are writable, the root file system is not.
      const writable = (container.volumeMounts ?? []).filter(({ readOnly }) => !readOnly);
      expect(writable.map(({ mountPath }) => mountPath)).toEqual(['/data', '/models', '/tmp']);
    }
    expect(objectOf(chart('defaults'), 'ServiceAccount').automountServiceAccountToken).toBe(false);
  });
});

/** Of the objects that select pods. */
function selectorsOf({ kind, spec }: Manifest): Labels[] {
  const { selector, podSelector } = (spec ?? {}) as Record<
    string,
    (Labels & { matchLabels?: Labels }) | undefined
  >;
  if (kind === 'NetworkPolicy') return podSelector?.matchLabels ? [podSelector.matchLabels] : [];
  if (kind === 'PodDisruptionBudget' || kind === 'InferencePool')
    return selector?.matchLabels ? [selector.matchLabels] : [];
  return kind === 'Service' && selector ? [selector] : [];
}

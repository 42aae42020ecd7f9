import { describe, expect, it } from 'vitest';
import { namesOutside } from '../../scripts/grafana/metric-names.ts';
import { loadChart } from '../../test/helm/chart.ts';
import { type Labels, objectOf, partsOfDeployment, specOf } from '../../test/helm/manifests.ts';

const { canRender, chart } = await loadChart(
  'defaults',
  'cpu',
  'everything',
  'scale-to-zero',
  'http-scaled-object',
);

describe.skipIf(!canRender)('network traffic of the pods', () => {
  it('allows probes and Prometheus, whatever else is allowed', () => {
    const open = specOf<Policy>(chart('defaults'), 'NetworkPolicy');
    expect(open.ingress).toEqual([{ ports: [{ port: 'health' }] }, { ports: [{ port: 'http' }] }]);
    const closed = specOf<Policy>(chart('scale-to-zero'), 'NetworkPolicy');
    expect(closed.ingress[0]).toEqual({ ports: [{ port: 'health' }] });
    expect(namespacesIn(closed.ingress[1])).toEqual(['ingress-nginx', 'monitoring', 'keda']);
  });

  it('allows DNS, downloads and configured egress', () => {
    const portsOf = (name: string) =>
      specOf<Policy>(chart(name), 'NetworkPolicy').egress.map(({ ports }) => ports?.[0]?.port);
    expect(portsOf('defaults')).toEqual([53, 443]);
    expect(portsOf('cpu')).toEqual([53]);
    expect(portsOf('everything')).toEqual([53, 443, 6379]);
    const [, download] = specOf<Policy>(chart('defaults'), 'NetworkPolicy').egress;
    expect(download?.to?.[0]?.ipBlock?.except).toContain('169.254.0.0/16');
    expect(download?.to?.[1]?.ipBlock).toEqual({ cidr: '2000::/3' });
  });

  it('is scraped under the job name of the alerts, with the key of a Secret', () => {
    const { endpoints } = specOf<{ endpoints: unknown[] }>(chart('everything'), 'ServiceMonitor');
    expect(endpoints).toEqual([
      expect.objectContaining({
        port: 'http',
        path: '/metrics',
        authorization: { type: 'Bearer', credentials: { name: 'scrape-key', key: 'secret' } },
        relabelings: [{ targetLabel: 'job', replacement: 'corral' }],
      }),
    ]);
    expect(specOf<{ ports: unknown[] }>(chart('everything'), 'Service', 'gpt').ports).toEqual([
      { name: 'http', port: 80, targetPort: 'http' },
    ]);
  });

  it('scales by metrics that exist, and leaves the number of pods to KEDA', () => {
    const spec = specOf<Scaled>(chart('everything'), 'ScaledObject');
    const [prometheus, push] = spec.triggers;
    expect(namesOutside(prometheus?.metadata.query ?? 'missing')).toEqual([]);
    expect(prometheus?.metadata.query).toContain('corral_queue_depth{namespace="models",service="gpt"}');
    expect(prometheus).toMatchObject({
      metadata: { threshold: '4', authModes: 'bearer' },
      authenticationRef: { name: 'prometheus' },
    });
    expect(push?.metadata.interceptorRoute).toBe(
      objectOf(chart('everything'), 'InterceptorRoute').metadata.name,
    );
    expect([spec.minReplicaCount, spec.maxReplicaCount]).toEqual([0, 6]);
    expect(spec.scaleTargetRef.name).toBe(objectOf(chart('everything'), 'Deployment').metadata.name);
    for (const name of ['everything', 'scale-to-zero', 'http-scaled-object'])
      expect(partsOfDeployment(chart(name)).spec).not.toHaveProperty('replicas');
  });

  it('leads clients to the interceptor when scaling to zero, under every host name', () => {
    const rendered = chart('scale-to-zero');
    const [rule] = specOf<{ rules: IngressRule[] }>(rendered, 'Ingress').rules;
    expect(rule?.http.paths[0]?.backend.service).toEqual({
      name: 'lab-llama-corral-interceptor',
      port: { number: 8080 },
    });
    expect(specOf(rendered, 'Service', '-interceptor')).toMatchObject({
      type: 'ExternalName',
      externalName: 'keda-add-ons-http-interceptor-proxy.keda.svc.cluster.local',
    });
    expect(specOf(rendered, 'InterceptorRoute')).toMatchObject({
      target: { service: 'lab-llama-corral', port: 80 },
      rules: [{ hosts: ['llm.example.org', 'llama.example.org'] }],
      timeouts: { readiness: '1800s' },
    });
    expect(specOf(rendered, 'ScaledObject')).toMatchObject({
      minReplicaCount: 0,
      maxReplicaCount: 1,
      cooldownPeriod: 900,
    });
    const older = chart('http-scaled-object').manifests.map(({ kind }) => kind);
    expect(older).toContain('HTTPScaledObject');
    expect(older).not.toContain('ScaledObject');
  });

  it('leads through Traefik without public metrics or buffering, and with a login before the dashboard', () => {
    const rendered = chart('everything');
    const { routes } = specOf<{ routes: TraefikRoute[] }>(rendered, 'IngressRoute');
    expect(routes.map(({ match }) => match)).toEqual([
      'Host(`llama.example.com`) && !PathPrefix(`/metrics`)',
      'Host(`llama.example.com`) && PathPrefix(`/dashboard`)',
      'Host(`llama.example.com`) && PathPrefix(`/oauth2/`)',
    ]);
    const named = routes.map(({ middlewares }) => middlewares.map(({ name }) => name));
    expect(named).toEqual([['gpt-headers', 'gpt-rate'], ['gpt-headers', 'gpt-login'], ['gpt-headers']]);
    const middlewares = rendered.manifests.filter(({ kind }) => kind === 'Middleware');
    expect(middlewares.map(({ metadata }) => metadata.name)).toEqual([
      'gpt-headers',
      'gpt-rate',
      'gpt-login',
    ]);
    expect(middlewares.flatMap(({ spec }) => Object.keys(spec as object))).toEqual([
      'headers',
      'rateLimit',
      'forwardAuth',
    ]);
  });

  it('reaches an endpoint picker through an InferencePool', () => {
    expect(specOf(chart('everything'), 'InferencePool')).toMatchObject({
      targetPorts: [{ number: 8000 }],
      endpointPickerRef: { name: 'llama-corral-epp', port: { number: 9002 }, failureMode: 'FailOpen' },
    });
  });
});

interface Policy {
  readonly ingress: readonly { readonly from?: readonly Selecting[] }[];
  readonly egress: readonly {
    readonly ports?: readonly { readonly port: unknown }[];
    readonly to?: readonly { readonly ipBlock?: { readonly except: readonly string[] } }[];
  }[];
}

interface Selecting {
  readonly namespaceSelector?: { readonly matchLabels: Labels };
}

function namespacesIn(rule: Policy['ingress'][number] | undefined): (string | undefined)[] {
  return (rule?.from ?? []).map(
    ({ namespaceSelector }) => namespaceSelector?.matchLabels['kubernetes.io/metadata.name'],
  );
}

interface Scaled {
  readonly scaleTargetRef: { readonly name: string };
  readonly minReplicaCount: number;
  readonly maxReplicaCount: number;
  readonly triggers: readonly { readonly metadata: Labels }[];
}

interface IngressRule {
  readonly http: { readonly paths: readonly { readonly backend: { readonly service: unknown } }[] };
}

interface TraefikRoute {
  readonly match: string;
  readonly middlewares: readonly { readonly name: string }[];
}

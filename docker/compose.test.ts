import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectFolder } from '../scripts/project-folders.ts';
import { readSettings } from '../settings/read-settings.ts';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { promtool } from '../test/services/service-catalogue.ts';
import { requireTestService } from '../test/services/test-service.ts';

interface Service {
  readonly profiles: readonly string[];
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly command?: readonly string[];
  readonly networks?: {
    readonly default: { readonly aliases?: readonly string[]; readonly ipv4_address?: string };
  };
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly read_only?: boolean;
  readonly depends_on?: readonly string[];
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test: readonly string[]; readonly start_period: string };
  readonly deploy?: { resources: { reservations: { devices: readonly unknown[] } } };
}

/** As Compose fills in a variable that nobody has set. */
const withDefaults = (text: string) => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
const read = (path: string) => readFileSync(join(projectFolder, path), 'utf8');

const compose = parse(withDefaults(read('docker-compose.yml')), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly networks: {
    readonly default: {
      readonly ipam: { readonly config: readonly Record<'subnet' | 'ip_range', string>[] };
    };
  };
};
const services = Object.entries(compose.services);
const { gpu, cpu, prometheus, grafana, traefik, jaeger } = compose.services as Record<
  string,
  Service | undefined
>;
const corralServices = [gpu, cpu] as Service[];

const mountsOf = (service: Service | undefined) =>
  (service?.volumes ?? []).map((mount) => {
    const [from = '', to = '', mode = 'rw'] = mount.split(':');
    return { from, to, mode };
  });
const mountedAt = (service: Service | undefined, to: string) =>
  mountsOf(service).find((mount) => mount.to === to)?.from ?? '';
/** Where the other services reach llama-corral. */
const corralAddress = `corral:${cpu?.environment?.PORT}`;

describe('docker-compose.yml', () => {
  it('is valid by the Compose specification', () => {
    const { $schema, ...schema } = JSON.parse(read('docker/compose-spec/compose-spec.json'));
    expect($schema).toBe('https://json-schema.org/draft-07/schema');
    const isCompose = new Ajv({ strict: false, allErrors: true }).compile(schema);
    expect(isCompose(compose), JSON.stringify(isCompose.errors)).toBe(true);
    expect(isCompose({ services: { cpu: { imaeg: 'x' } } })).toBe(false);
  });

  it('has a profile for every service', () => {
    expect(services.map(([name, { profiles }]) => [name, profiles])).toEqual([
      ['gpu', ['gpu']],
      ['cpu', ['cpu']],
      ['prometheus', ['observability']],
      ['grafana', ['observability']],
      ['traefik', ['traefik']],
      ['jaeger', ['tracing']],
    ]);
  });

  it('mounts only files and volumes that exist', () => {
    for (const [name, service] of services) {
      for (const { from, to, mode } of mountsOf(service)) {
        if (from === './data/models') expect([to, mode], name).toEqual(['/models', 'ro']);
        else if (from.startsWith('.'))
          expect([statSync(join(projectFolder, from)).isFile(), mode], from).toEqual([true, 'ro']);
        else expect(compose.volumes, name).toHaveProperty(from);
      }
      for (const other of service.depends_on ?? []) expect(compose.services, name).toHaveProperty(other);
      if (service.build) expect(statSync(join(projectFolder, service.build.dockerfile)).isFile()).toBe(true);
    }
  });

  it('drops all capabilities, publishes on loopback only (except Traefik), and names exact versions', () => {
    for (const [name, service] of services) {
      expect(service.cap_drop, name).toEqual(['ALL']);
      expect(service.security_opt, name).toContain('no-new-privileges:true');
      if (!service.build) expect(service.image, name).toMatch(/^[a-z/]+:v?\d+\.\d+\.\d+$/);
      const open = name === 'traefik' ? /^(?:80|443):/ : /^127\.0\.0\.1:/;
      for (const published of service.ports ?? []) expect(published, name).toMatch(open);
    }
  });

  it('trusts Traefik alone, whose address no other container gets', () => {
    const address = traefik?.networks?.default.ipv4_address ?? '';
    const [{ subnet = '', ip_range = '' } = {}] = compose.networks.default.ipam.config;
    for (const { environment } of corralServices) expect(environment?.TRUSTED_PROXIES).toBe(address);
    const isIn = (network: string) => {
      const [base = '', prefix] = network.split('/');
      const list = new BlockList();
      list.addSubnet(base, Number(prefix));
      return list.check(address);
    };
    expect([isIn(subnet), isIn(ip_range)]).toEqual([true, false]);
  });

  it('runs llama-corral read-only, with time to load and to drain', () => {
    for (const service of corralServices) {
      const { settings, problems, warnings } = readSettings(
        Object.fromEntries(
          Object.entries(service.environment ?? {}).map(([name, value]) => [name, String(value)]),
        ),
      );
      expect([problems, warnings]).toEqual([[], []]);
      expect(service.read_only).toBe(true);
      expect(durationMs(service.stop_grace_period ?? '')).toBeGreaterThan(settings.DRAIN_TIMEOUT);
      expect(durationMs(service.healthcheck?.start_period ?? '')).toBe(settings.LOAD_TIMEOUT);
      expect(service.healthcheck?.test).toEqual([
        'CMD',
        'node',
        '/opt/corral/cli/container/health-check.ts',
        '/readyz',
      ]);
      expect(service.ports).toEqual([
        `127.0.0.1:${settings.PORT}:${settings.PORT}`,
        `127.0.0.1:${settings.PORT_HEALTH}:${settings.PORT_HEALTH}`,
      ]);
      expect(service.networks?.default.aliases).toEqual(['corral']);
    }
    expect(gpu?.deploy?.resources.reservations.devices).toEqual([
      { driver: 'nvidia', count: 'all', capabilities: ['gpu'] },
    ]);
    expect(cpu?.deploy).toBeUndefined();
  });
});

describe('the other services', () => {
  const program = requireTestService(promtool);

  it('Prometheus scrapes llama-corral and loads the alerts', async () => {
    const file = mountedAt(prometheus, '/etc/prometheus/prometheus.yml');
    const { scrape_configs: jobs } = parse(read(file));
    expect(jobs).toEqual([{ job_name: 'corral', static_configs: [{ targets: [corralAddress] }] }]);
    const found = await program;
    if (!found) return;
    await using folder = await temporaryFolder();
    writeFileSync(folder.file('prometheus.yml'), read(file));
    writeFileSync(folder.file('alerts.yml'), read(mountedAt(prometheus, '/etc/prometheus/alerts.yml')));
    const words = ['check', 'config', folder.file('prometheus.yml')];
    const checked = await execa(found.command, [...found.args, ...words], { all: true, reject: false });
    expect([checked.exitCode, checked.all]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  it('Grafana finds Prometheus and the dashboard at the provisioned paths', () => {
    const sources = mountedAt(grafana, '/etc/grafana/provisioning/datasources/prometheus.yml');
    expect(parse(read(sources)).datasources[0].url).toBe('http://prometheus:9090');
    const provider = mountedAt(grafana, '/etc/grafana/provisioning/dashboards/llama-corral.yml');
    const folder = parse(read(provider)).providers[0].options.path;
    const home = grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH;
    expect(home).toBe(`${folder}/llama-corral.json`);
    expect(mountedAt(grafana, String(home))).toBe('./docker/grafana/llama-corral.json');
  });

  it('Jaeger receives traces at the documented endpoint', () => {
    expect(jaeger?.image).toMatch(/^jaegertracing\/jaeger:2\./);
    const endpoint = /OTEL_EXPORTER_OTLP_ENDPOINT=(\S+) in \.env/.exec(read('docker-compose.yml'))?.[1];
    expect(endpoint).toBe('http://jaeger:4318');
  });

  it('Traefik routes to llama-corral, and every name in its configuration exists', () => {
    const text = read(mountedAt(traefik, '/etc/traefik/dynamic.yml'));
    const { http, tls } = parse(
      text.replaceAll(/\{\{ env "(\w+)" \}\}/g, (_, name) => `${traefik?.environment?.[name]}`),
    );
    const { corral: router } = http.routers;
    expect(router.rule).toBe('Host(`localhost`) && !Path(`/metrics`)');
    for (const name of router.middlewares) expect(http.middlewares).toHaveProperty(name);
    expect(Object.keys(http.middlewares).sort()).toEqual([...router.middlewares].sort());
    const { loadBalancer } = http.services[router.service];
    expect(loadBalancer.servers).toEqual([{ url: `http://${corralAddress}` }]);
    expect(loadBalancer.healthCheck.path).toBe('/livez');
    expect(tls.options.default.minVersion).toBe('VersionTLS12');

    const flags = traefik?.command ?? [];
    const has = (flag: string) => flags.some((one) => one.startsWith(flag));
    for (const entryPoint of router.entryPoints)
      expect(has(`--entryPoints.${entryPoint}.address=`)).toBe(true);
    expect(has(`--certificatesResolvers.${router.tls.certResolver}.acme.`)).toBe(true);
    expect(flags).toContain('--providers.file.filename=/etc/traefik/dynamic.yml');
    expect(flags).toContain('--entryPoints.websecure.transport.respondingTimeouts.writeTimeout=0s');
    // Both delay streams.
    expect(Object.values(http.middlewares).flatMap((one) => Object.keys(one as object))).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(?:buffering|compress)$/)]),
    );
  });
});

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Parses a duration of Compose, such as `1m30s`. */
function durationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0), 0);
}

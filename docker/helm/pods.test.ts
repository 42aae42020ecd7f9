import { dirname, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { loadChart } from '../../test/helm/chart.ts';
import { type Labels, objectOf, partsOfDeployment } from '../../test/helm/manifests.ts';
import type { Manifest, Values } from '../../test/helm/render-chart.ts';

const { version } = packageFile;
const { canRender, names, chart, render } = await loadChart();

describe.skipIf(!canRender)('the pods of the chart', () => {
  it.each([
    ['existing-secret', 'team-keys'],
    ['everything', 'gpt-keys'],
  ])(
    'mounts the key file where AUTH_KEYS_FILE says, as a folder whose changes arrive: %s',
    (name, secretName) => {
      const { pod, container, env } = partsOfDeployment(chart(name));
      const volume = pod.volumes?.find(({ secret }) => secret?.secretName === secretName);
      const mount = container.volumeMounts?.find((it) => it.name === volume?.name);
      expect(mount).toEqual({
        name: volume?.name,
        mountPath: dirname(env.AUTH_KEYS_FILE ?? ''),
        readOnly: true,
      });
      expect(posix.basename(env.AUTH_KEYS_FILE ?? '')).toBe('keys.json');
      expect(env.AUTH_KEYS_FILE?.startsWith(`${env.DATA_DIR}/`)).toBe(false);
    },
  );

  it('keep the key file on the data volume if there is no Secret', () => {
    const { container, env } = partsOfDeployment(chart('defaults'));
    expect(env).not.toHaveProperty('AUTH_KEYS_FILE');
    const claim = objectOf(chart('defaults'), 'PersistentVolumeClaim', '-data');
    expect(claim.metadata).toMatchObject({ annotations: { 'helm.sh/resource-policy': 'keep' } });
    expect(container.volumeMounts).toContainEqual({ name: 'data', mountPath: env.DATA_DIR });
  });

  it('get a Secret from the given keys, and do not restart when it changes', async () => {
    const content = '{"version":1,"keys":[{"id":"app"}]}';
    const { manifests } = await render('everything', { keys: { content } });
    const secret = manifests.find(({ kind }) => kind === 'Secret');
    expect(secret?.data).toEqual({ 'keys.json': Buffer.from(content).toString('base64') });
    const others = (all: readonly Manifest[]) => all.filter(({ kind }) => kind !== 'Secret');
    expect(others(manifests)).toEqual(others(chart('everything').manifests));
  });

  it('keep the store on the data volume, encrypted with a key from a Secret', async () => {
    const { container, env } = partsOfDeployment(chart('store'));
    expect(env).toMatchObject({ STORE: 'on' });
    expect(container.env).toContainEqual({
      name: 'STORE_KEY',
      valueFrom: { secretKeyRef: { name: 'store-key', key: 'key' } },
    });
    const claim = objectOf(chart('store'), 'PersistentVolumeClaim', '-data');
    expect(claim.spec).toMatchObject({ resources: { requests: { storage: '25Gi' } } });
    expect(container.volumeMounts).toContainEqual({ name: 'data', mountPath: env.DATA_DIR });
    const off = { settings: { STORE: 'off' }, data: { persistence: { enabled: false } } };
    expect(partsOfDeployment(await render('defaults', off)).env).toMatchObject({ STORE: 'off' });
  });

  it('require a key unless both variables that turn this off are set', () => {
    expect(partsOfDeployment(chart('open')).env).toMatchObject({
      AUTH_ENABLED: 'false',
      ALLOW_UNAUTHENTICATED: 'true',
    });
    for (const name of names.filter((it) => it !== 'open'))
      expect(partsOfDeployment(chart(name)).env).not.toHaveProperty('AUTH_ENABLED');
  });

  it('get the download token as a file', () => {
    const { pod, container, env } = partsOfDeployment(chart('existing-secret'));
    const { secret } = pod.volumes?.find(({ name }) => name === 'model-token') ?? {};
    expect(secret).toMatchObject({ secretName: 'hugging-face', items: [{ key: 'token', path: 'token' }] });
    const mount = container.volumeMounts?.find(({ name }) => name === 'model-token');
    expect(`${mount?.mountPath}/token`).toBe(env.HF_TOKEN_FILE);
  });

  it('request GPUs, or use the CPU image', () => {
    const gpu = partsOfDeployment(chart('gpu'));
    expect(gpu.container.resources?.limits).toEqual({ 'nvidia.com/gpu': '2' });
    expect(gpu.pod).toMatchObject({
      runtimeClassName: 'nvidia',
      nodeSelector: { 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3' },
    });
    expect(gpu.pod.tolerations?.map(({ key }) => key)).toEqual(['nvidia.com/gpu', 'team']);
    expect(gpu.container.image).toMatch(/^registry\.example\.com\/llama-corral@sha256:0{64}$/);
    expect(gpu.env).toMatchObject({ CTX: '1048576', PARALLEL: '8', MAX_QUEUE_SIZE: '200' });
    expect(partsOfDeployment(chart('everything')).container.resources?.limits).toEqual({
      memory: '64Gi',
      'nvidia.com/gpu': '1',
    });
    const cpu = partsOfDeployment(chart('cpu'));
    expect(cpu.container.resources?.limits).toEqual({ memory: '24Gi' });
    expect(cpu.pod.tolerations).toBeUndefined();
    expect([cpu.container.image, gpu.env.CTX]).toEqual([
      `registry.example.com/llama-corral:${version}-cpu`,
      '1048576',
    ]);
    expect(partsOfDeployment(chart('defaults')).container.image).toBe(
      `registry.example.com/llama-corral:${version}-cuda`,
    );
  });

  it('have one model source and its volume', () => {
    const sources = ({ env }: { env: Labels }) =>
      ['MODEL_NAME', 'MODEL_URL', 'HF_REPO'].filter((name) => name in env);
    expect(sources(partsOfDeployment(chart('cpu')))).toEqual(['MODEL_NAME']);
    expect(sources(partsOfDeployment(chart('gpu')))).toEqual(['MODEL_URL']);
    expect(sources(partsOfDeployment(chart('defaults')))).toEqual(['HF_REPO']);
    const { pod, container, env } = partsOfDeployment(chart('gpu'));
    expect(container.volumeMounts).toContainEqual({ name: 'models', mountPath: env.MODELS_DIR });
    expect(pod.volumes).toContainEqual({
      name: 'models',
      persistentVolumeClaim: { claimName: 'shared-models' },
    });
  });

  it('are replaced after they stop, because a second GPU is rarely free', () => {
    expect(partsOfDeployment(chart('defaults')).spec.strategy).toEqual({ type: 'Recreate' });
    expect(partsOfDeployment(chart('existing-secret')).spec).toMatchObject({
      replicas: 3,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    });
  });

  it.each([
    ['data.persistence belongs to one pod', { replicas: 2 }],
    ['several pods need one key file', { replicas: 2, data: { persistence: { enabled: false } } }],
    [
      'the store is on the volume of data',
      { settings: { STORE: 'On' }, data: { persistence: { enabled: false } } },
    ],
    ['no model is named', { model: { huggingFace: '' } }],
    ['no image is named', { image: { repository: '' } }],
    ['set scaleToZero.hosts', { scaleToZero: { enabled: true } }],
    [
      'an HTTPScaledObject scales alone',
      { ...severalPods(), scaleToZero: { enabled: true, hosts: ['a.example'], api: 'HTTPScaledObject' } },
    ],
  ])('refuses what cannot work: %s', async (words, changes) => {
    await expect(render('defaults', changes)).rejects.toThrow(words);
  });

  it('have installation notes with the next steps and their own names', () => {
    const { notes } = chart('defaults');
    expect(notes).toContain('kubectl -n models exec deployment/lab-llama-corral -- corral keys create');
    expect(chart('existing-secret').notes).toContain('the Secret team-keys');
    expect(chart('open').notes).toContain('Everyone who can reach the Service may use it');
  });
});

function severalPods(): Values {
  return {
    autoscaling: { enabled: true },
    keys: { existingSecret: 'k' },
    data: { persistence: { enabled: false } },
  };
}

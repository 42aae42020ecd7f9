import { dirname, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseRegistry } from '../../models/parse-registry.ts';
import { fencedBlocks } from '../../test/docs/markdown.ts';
import { allPages } from '../../test/docs/pages.ts';
import { loadChart } from '../../test/helm/chart.ts';
import { objectOf, partsOfDeployment, specOf } from '../../test/helm/manifests.ts';
import type { Rendered, Values } from '../../test/helm/render-chart.ts';

const { canRender, chart, render } = await loadChart('three-models', 'canary', 'defaults');

/** The file as the pod finds it. */
function registryOf(rendered: Rendered) {
  const { data } = objectOf<{ data: Record<string, string> }>(rendered, 'Secret', '-models');
  const text = Buffer.from(data['models.json'] ?? '', 'base64').toString();
  return parseRegistry(text, partsOfDeployment(rendered).env.MODELS_DIR ?? '');
}

describe.skipIf(!canRender)('the chart with several models', () => {
  it('has them in a file where MODELS_FILE says, in a folder whose changes arrive', () => {
    for (const name of ['three-models', 'canary']) {
      const { pod, container, env } = partsOfDeployment(chart(name));
      const file = env.MODELS_FILE ?? '';
      const mount = container.volumeMounts?.find(({ mountPath }) => mountPath === dirname(file));
      expect([posix.basename(file), mount?.readOnly]).toEqual(['models.json', true]);
      const { secret } = pod.volumes?.find((volume) => volume.name === mount?.name) ?? {};
      expect(secret?.secretName).toBe('lab-llama-corral-models');
      for (const one of ['MODEL_NAME', 'MODEL_URL', 'HF_REPO', 'MODEL_ALIAS'])
        expect(env).not.toHaveProperty(one);
    }
    expect(partsOfDeployment(chart('defaults')).env).not.toHaveProperty('MODELS_FILE');
  });

  it('has models for chat, embeddings and rerank', () => {
    expect(registryOf(chart('three-models')).models).toMatchObject([
      { id: 'qwen3-8b', kind: 'chat', pin: true, ctx: 16384, parallel: 4 },
      { id: 'bge-m3', kind: 'embeddings', ttl: 1_800_000 },
      { id: 'bge-reranker', kind: 'rerank' },
    ]);
  });

  it('has a canary', () => {
    expect(registryOf(chart('canary')).aliases).toMatchObject([
      { name: 'assistant', targets: [{ weight: 90 }, { model: 'assistant-v2', weight: 10 }] },
    ]);
  });

  it('allows downloads only if a model needs one', () => {
    const reachesInternet = (rendered: Rendered) =>
      JSON.stringify(specOf(rendered, 'NetworkPolicy')).includes('0.0.0.0/0');
    expect([reachesInternet(chart('three-models')), reachesInternet(chart('canary'))]).toEqual([true, false]);
  });

  it('rejects aliases without models', async () => {
    const aliases = [{ name: 'latest', targets: [{ model: 'a' }] }];
    await expect(render('defaults', { models: { aliases } })).rejects.toThrow('set models.list');
  });

  const blocks = allPages()
    .filter(({ path }) => path.endsWith('kubernetes.md'))
    .flatMap(({ text }) => fencedBlocks(text))
    .filter(({ language, text }) => language === 'yaml' && text.includes('list:'));

  it('is as its page shows', async () => {
    expect(blocks.length).toBeGreaterThan(1);
    for (const { text } of blocks) {
      const rendered = await render('defaults', parse(text) as Values);
      expect(registryOf(rendered).models.length).toBeGreaterThan(1);
    }
  });
});

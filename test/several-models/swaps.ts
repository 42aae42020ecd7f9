import { demoModelFile } from '../services/demo-models.ts';
import { alternate, alternationFigures } from './alternate.ts';
import { type ModelsProduct, secrets, startModelsProduct } from './product.ts';
import { atMost, type Report } from './report.ts';
import { measureRouter } from './router-comparison.ts';
import type { Scenario, ScenarioOptions } from './scenario.ts';

const GiB = 1024 ** 3;
const holdSeconds = 2;

/** Proof 1. The same run through llama-server's router beside it has no goals. */
export const swaps: Scenario = {
  claim: 'two clients alternate two models of which one fits: no error, no cut answer, few swaps',
  async run({ requests = 200, onProgress }) {
    const ours = await measureProduct(requests, onProgress);
    const router = await measureRouter(requests, onProgress);
    return {
      figures: [...ours.figures, ...router.figures],
      problems: [...(ours.problems ?? []), ...(router.problems ?? [])],
    };
  },
};

async function measureProduct(requests: number, onProgress: ScenarioOptions['onProgress']): Promise<Report> {
  await using product = await startModelsProduct(
    { models: [await large('guide'), await large('tales')] },
    { MEMORY_BUDGET: '4GiB', MODEL_HOLD: `${holdSeconds}s` },
  );
  const run = await alternate({ origin: product.origin, secret: secrets.first }, requests, onProgress);
  const { models } = await product.status();
  const loads = models.reduce((sum, model) => sum + model.loads, 0);
  const load = Math.max(...models.map((model) => model.loadSeconds / model.loads));
  const { wait, answer } = longestOf(product);
  const most = Math.floor(run.seconds / holdSeconds);
  return {
    problems: run.problems,
    figures: [
      ...alternationFigures('corral', run, true),
      { name: 'corral: swaps', value: loads - 1, goal: atMost(most) },
      { name: 'corral: load, mean', value: load, unit: 's' },
      { name: 'corral: longest answer', value: answer, unit: 's' },
      { name: 'corral: longest wait', value: wait, unit: 's', goal: atMost(holdSeconds + load + answer) },
    ],
  };
}

/** So large that only one fits. */
const large = async (id: 'guide' | 'tales') => ({
  id,
  path: await demoModelFile(id),
  parallel: 2,
  limits: { memory: 3 * GiB },
});

/** The longest wait in line and the longest answer after it, in seconds, from the log lines of the requests. */
function longestOf(product: ModelsProduct): { readonly wait: number; readonly answer: number } {
  let [wait, answer] = [0, 0];
  for (const line of product.output().split('\n')) {
    if (!line.includes('"queueMs"')) continue;
    const { ms, queueMs } = JSON.parse(line) as { ms: number; queueMs: number };
    wait = Math.max(wait, queueMs / 1000);
    answer = Math.max(answer, (ms - queueMs) / 1000);
  }
  return { wait, answer };
}

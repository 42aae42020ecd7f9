import { killProcess } from '../harness/child-processes.ts';
import { waitFor } from '../harness/wait-for.ts';
import { demoModelFile } from '../services/demo-models.ts';
import { type KindClient, kindClients, retrieveDocument } from './kind-clients.ts';
import { type ModelsProduct, secrets, startModelsProduct } from './product.ts';
import { atLeast, exactly, type Figure, type Report } from './report.ts';
import type { Scenario, ScenarioOptions } from './scenario.ts';

/** Of each kind of client at once. */
const atOnce = 3;

/** Proof 2. */
export const kinds: Scenario = {
  claim:
    'chat, embeddings and rerank answer on one URL, and do not notice when the engine of another is killed',
  async run({ requests = 40, onProgress }) {
    await using product = await startModelsProduct(
      {
        models: [
          { id: 'tales', path: await demoModelFile('tales'), parallel: 4, pin: true },
          await encoder('embeddings'),
          await encoder('rerank'),
        ],
      },
      { RESTART_DELAY_MIN: '50ms', RESTART_MAX_CRASHES: '100' },
    );
    const clients = kindClients({ origin: product.origin, secret: secrets.first });
    const problems: string[] = [];
    const figures: Figure[] = [];
    for (const victim of ['tales', 'embeddings', 'rerank']) {
      const { answers, ...killed } = await killUnderLoad(product, clients, { victim, requests, onProgress });
      problems.push(...(killed.problems ?? []));
      figures.push({ name: `${victim} killed: exact answers`, value: answers, goal: atLeast(3 * requests) });
      figures.push(...killed.figures);
    }
    const question = 'Did a deaf drummer follow the music?';
    const found = await retrieveDocument({ origin: product.origin, secret: secrets.first }, question);
    return {
      problems,
      figures: [
        { name: 'failed or wrong answers', value: problems.length, goal: exactly(0) },
        ...figures,
        {
          name: 'a document is found by embeddings, then ranked first',
          value: Number(found.startsWith('Caravans cursed it, until a deaf drummer')),
          goal: exactly(1),
        },
      ],
    };
  },
};

const encoder = async (kind: 'embeddings' | 'rerank') => ({
  ...{ id: kind, kind, path: await demoModelFile(kind), ctx: 512, parallel: 2, pin: true },
});

interface Kill extends Pick<ScenarioOptions, 'onProgress'> {
  /** The model whose engine is killed. */
  readonly victim: string;
  /** How many requests of each model are answered before the kill and after the restart, together. */
  readonly requests: number;
}

async function killUnderLoad(
  product: ModelsProduct,
  clients: readonly KindClient[],
  { victim, requests, onProgress }: Kill,
): Promise<Report & { readonly answers: number }> {
  const problems: string[] = [];
  const answered = new Map<string, number>();
  let isOver = false;
  const before = requestLines(product).length;
  const work = async ({ model, ask }: KindClient) => {
    while (!isOver) {
      const problem = await ask().catch((error: unknown) => String(error));
      if (problem === undefined) answered.set(model, (answered.get(model) ?? 0) + 1);
      else problems.push(`${model}, while ${victim} is killed: ${problem}`);
    }
  };
  const reach = (count: number) =>
    waitFor(
      `${count} answers of each model`,
      () => problems.length > 0 || clients.every(({ model }) => (answered.get(model) ?? 0) >= count),
      { within: 120_000 },
    );
  const working = clients.flatMap((client) => Array.from({ length: atOnce }, () => work(client)));
  try {
    await reach(requests / 2);
    const [pid] = product.pidsOf(victim);
    if (pid === undefined) throw new Error(`${victim} has no engine`);
    killProcess(pid, 'SIGKILL');
    await waitFor('the next engine', async () => {
      const [next] = product.pidsOf(victim);
      return next !== undefined && next !== pid && (await product.model(victim)).status === 'loaded';
    });
    await reach(requests);
  } finally {
    isOver = true;
    await Promise.all(working);
  }
  const answers = [...answered.values()].reduce((sum, count) => sum + count, 0);
  onProgress(`${victim} killed: ${answers} exact answers, ${problems.length} problems`);
  const sent = answers + problems.length;
  await waitFor('the log of all requests', () => requestLines(product).length >= before + sent);
  const again = requestLines(product)
    .slice(before)
    .filter(({ retries = 0, continued = 0 }) => retries + continued > 0);
  const ofVictim = again.filter(({ model }) => model === victim).length;
  return {
    answers,
    problems,
    figures: [
      { name: `${victim} killed: sent again or continued`, value: ofVictim, goal: atLeast(1) },
      {
        name: `${victim} killed: of the other models`,
        value: again.length - ofVictim,
        goal: exactly(0),
      },
    ],
  };
}

interface RequestLine {
  readonly model?: string;
  readonly retries?: number;
  readonly continued?: number;
}

/** The lines of the log about requests to models. */
function requestLines(product: ModelsProduct): RequestLine[] {
  return product
    .output()
    .split('\n')
    .filter((line) => line.includes('"queueMs"') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as RequestLine);
}

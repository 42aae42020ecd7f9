import {
  ALIAS,
  type AliasAnswer,
  askAlias,
  type Identity,
  inParallel,
  scrapeProduct,
} from './alias-client.ts';
import type { ModelsProduct } from './product.ts';
import { between, exactly, type Report } from './report.ts';
import type { ScenarioOptions } from './scenario.ts';

/** Turns of each conversation. */
const TURNS = 2;

/** All ways in which a conversation is recognised. */
const identities: readonly ((n: number) => Identity)[] = [
  ...[
    'session_id',
    'x-session-id',
    'x-litellm-session-id',
    'x-amp-thread-id',
    'x-opencode-session',
    'x-openwebui-chat-id',
  ].map((name) => (n: number) => ({ headers: { [name]: `session ${n}` } })),
  (n) => ({ fields: { prompt_cache_key: `cache ${n}` } }),
  (n) => ({ fields: { metadata: { user_id: `user ${n}` } } }),
];

/** Conversations of some turns with an alias 90/10. */
export async function measureShares(
  product: ModelsProduct,
  requests: number,
  onProgress: ScenarioOptions['onProgress'],
): Promise<Report> {
  const conversations = requests / TURNS;
  const targets = new Map<number, string>();
  const problems: string[] = [];
  let [canary, moved, errors, unnamed, done] = [0, 0, 0, 0, 0];
  const take = (n: number, { model, alias, status, text }: AliasAnswer) => {
    if (model === undefined) {
      errors += 1;
      problems.push(`${status} ${text}`);
      return;
    }
    if (model === 'canary') canary += 1;
    if (alias !== ALIAS) unnamed += 1;
    if ((targets.get(n) ?? model) !== model) moved += 1;
    targets.set(n, model);
  };
  const before = await countServed(product);
  for (let turn = 0; turn < TURNS; turn++)
    await inParallel(conversations, 16, async (n) => {
      take(n, await askAlias(product, `Conversation ${n}`, identityOf(n, turn)));
      done += 1;
      if (done % 1000 === 0) onProgress(`${done} of ${requests}`);
    });
  const after = await countServed(product);
  const share = (canary / requests) * 100;
  // With fewer conversations, four standard deviations.
  const margin = requests >= 10_000 ? 1 : 4 * Math.sqrt((90 * 10) / conversations);
  return {
    problems,
    figures: [
      { name: 'requests at 90/10', value: requests },
      { name: 'conversations', value: targets.size, goal: exactly(conversations) },
      { name: 'errors', value: errors, goal: exactly(0) },
      { name: 'share of the canary', value: share, unit: '%', goal: between(10 - margin, 10 + margin) },
      { name: 'at the canary by metrics', value: after.metrics - before.metrics, goal: exactly(canary) },
      { name: 'at the canary by the ledger', value: after.ledger - before.ledger, goal: exactly(canary) },
      { name: 'conversations that moved', value: moved, goal: exactly(0) },
      { name: 'answers without the alias', value: unnamed, goal: exactly(0) },
    ],
  };
}

/** How many requests the canary has answered. */
async function countServed(product: ModelsProduct) {
  const scrape = await scrapeProduct(product);
  const response = await product.admin('GET', '/admin/usage?by=model');
  const { usage } = (await response.json()) as { usage: { model: string; requests: number }[] };
  return {
    metrics: scrape.sum('gen_ai_server_request_duration_seconds_count', { gen_ai_request_model: 'canary' }),
    ledger: usage.find(({ model }) => model === 'canary')?.requests ?? 0,
  };
}

/** One in nine is recognised by its first message, and each turn adds some after it. */
function identityOf(n: number, turn: number): Identity {
  const identity = identities[n % (identities.length + 1)];
  if (identity !== undefined)
    return { ...identity(n), fields: { ...identity(n).fields, ...changed(n, turn) } };
  const first = { role: 'user', content: `Conversation ${n}` };
  const more = [
    { role: 'assistant', content: 'Yes.' },
    { role: 'user', content: `Turn ${turn}` },
  ];
  return { fields: { messages: turn === 0 ? [first] : [first, ...more] } };
}

/** Who says which conversation it is may say anything else in it. */
const changed = (n: number, turn: number) => ({
  messages: [{ role: 'user', content: `Turn ${turn} of ${n}` }],
});

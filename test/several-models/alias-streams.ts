import { storyText } from '../../cli/demo-model/stories.ts';
import type { AliasState } from '../../health/supervisor-messages.ts';
import { ALIAS, askAlias } from './alias-client.ts';
import { type ChatResult, sendChat } from './chat-client.ts';
import { type ModelsProduct, secrets } from './product.ts';

const CONTENT = 'a long story';
/** Enough for a second or more, although there are fewer slots than streams. */
const MAX_TOKENS = 1500;

/** What `/admin/models` shows. */
export interface AdminModels {
  readonly models: readonly {
    readonly id: string;
    readonly slots: { readonly busy: number };
    readonly queue: { readonly waiting: number };
  }[];
  readonly aliases: readonly AliasState[];
}

export async function readAdminModels(product: ModelsProduct): Promise<AdminModels> {
  const response = await product.admin('GET', '/admin/models');
  return (await response.json()) as AdminModels;
}

/** Streams of a known text: the beginning of the long story, as far as `stable` generates it alone. */
export async function openStreams(
  product: ModelsProduct,
  count: number,
  model: string = ALIAS,
): Promise<readonly Promise<ChatResult>[]> {
  const { content } = await askAlias(product, CONTENT, {
    fields: { model: 'stable', max_tokens: MAX_TOKENS, temperature: 0 },
  });
  if (!content || !storyText('long story').startsWith(content)) throw new Error(`another story: ${content}`);
  return Array.from({ length: count }, (_, n) =>
    sendChat(
      { origin: product.origin, secret: secrets.first },
      { ...{ model, content: `${n}: ${CONTENT}`, stream: true }, maxTokens: MAX_TOKENS, expected: content },
    ),
  );
}

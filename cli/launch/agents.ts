/** How each coding agent is pointed at a deployment. */

/** What an agent is to use. */
export interface Endpoint {
  /** Without `/v1`. */
  readonly origin: string;
  readonly model: string;
  /** For titles, summaries and the like. */
  readonly smallModel: string;
  /** All chat models, of which an agent may offer a choice. */
  readonly models: readonly AgentModel[];
  /** The variable that the agent is to read the key from, if it can be told; undefined where no key is needed. */
  readonly keyVariable: string | undefined;
}

export interface AgentModel {
  readonly id: string;
  /** Tokens; undefined while it is not known. */
  readonly context: number | undefined;
}

/** How to start an agent. Nothing of it contains the key. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The variable that must contain the key. */
  readonly keyVariable: string | undefined;
  /** Variables that would take precedence. */
  readonly unset: readonly string[];
}

export interface Agent {
  readonly title: string;
  readonly install: string;
  plan(endpoint: Endpoint): Launch;
}

/** An agent must not fill the context with its output: its instructions alone have some ten thousand tokens. */
const outputLimit = (context: number) => Math.min(32_000, Math.floor(context / 4));

/** For agents that have no default of their own for a model whose context is unknown. */
const ASSUMED_CONTEXT = 32_768;

const claude: Agent = {
  title: 'Claude Code',
  install: 'npm install -g @anthropic-ai/claude-code',
  plan: ({ origin, model, smallModel, models, keyVariable }) => ({
    command: 'claude',
    args: [],
    env: {
      ANTHROPIC_BASE_URL: origin,
      ANTHROPIC_MODEL: model,
      ANTHROPIC_DEFAULT_OPUS_MODEL: model,
      ANTHROPIC_DEFAULT_SONNET_MODEL: model,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: smallModel,
      ...claudeLimits(contextOf(models, model)),
      // Sent to Anthropic, whatever the base URL.
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      // Without a token, it asks for a login at Anthropic.
      ...(keyVariable === undefined && { ANTHROPIC_AUTH_TOKEN: 'none' }),
    },
    keyVariable: keyVariable && 'ANTHROPIC_AUTH_TOKEN',
    unset: [
      'ANTHROPIC_API_KEY',
      'CLAUDE_CODE_USE_BEDROCK',
      'CLAUDE_CODE_USE_VERTEX',
      'CLAUDE_CODE_USE_FOUNDRY',
    ],
  }),
};

/** Otherwise it assumes 200,000 tokens for a model that it does not know. */
function claudeLimits(context: number | undefined): Record<string, string> {
  if (context === undefined) return {};
  return {
    CLAUDE_CODE_MAX_CONTEXT_TOKENS: String(context),
    CLAUDE_CODE_AUTO_COMPACT_WINDOW: String(context),
    CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(outputLimit(context)),
  };
}

const codex: Agent = {
  title: 'Codex',
  install: 'npm install -g @openai/codex',
  plan({ origin, model, models, keyVariable }) {
    const provider = 'model_providers.corral';
    const context = contextOf(models, model);
    const settings: Record<string, string | number> = {
      model,
      model_provider: 'corral',
      [`${provider}.name`]: 'llama-corral',
      [`${provider}.base_url`]: `${origin}/v1`,
      [`${provider}.wire_api`]: 'responses',
      ...(keyVariable !== undefined && { [`${provider}.env_key`]: keyVariable }),
      ...(context !== undefined && {
        model_context_window: context,
        model_auto_compact_token_limit: Math.floor(context * 0.85),
      }),
    };
    return {
      command: 'codex',
      // Values are TOML, whose strings with double quotes are those of JSON.
      args: Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${JSON.stringify(value)}`]),
      env: {},
      keyVariable,
      unset: [],
    };
  },
};

const opencode: Agent = {
  title: 'OpenCode',
  install: 'npm install -g opencode-ai',
  plan({ origin, model, smallModel, models, keyVariable }) {
    const config = {
      $schema: 'https://opencode.ai/config.json',
      model: `corral/${model}`,
      small_model: `corral/${smallModel}`,
      provider: {
        corral: {
          npm: '@ai-sdk/openai-compatible',
          name: 'llama-corral',
          options: {
            baseURL: `${origin}/v1`,
            ...(keyVariable !== undefined && { apiKey: `{env:${keyVariable}}` }),
          },
          models: Object.fromEntries(
            models.map(({ id, context = ASSUMED_CONTEXT }) => [
              id,
              { name: id, limit: { context, output: outputLimit(context) } },
            ]),
          ),
        },
      },
    };
    return {
      command: 'opencode',
      args: [],
      env: { OPENCODE_CONFIG_CONTENT: JSON.stringify(config) },
      keyVariable,
      unset: [],
    };
  },
};

export const agents = { claude, codex, opencode } as const satisfies Record<string, Agent>;
export type AgentName = keyof typeof agents;

const contextOf = (models: readonly AgentModel[], id: string) =>
  models.find((model) => model.id === id)?.context;

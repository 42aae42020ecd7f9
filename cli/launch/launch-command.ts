import { resolve } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { findGateway, type GatewayOptions, gatewayOptions } from '../gateway-client.ts';
import { jsonOption } from '../options.ts';
import { writeJson, writeStderr, writeStdout } from '../output.ts';
import { UsageError } from '../run-command.ts';
import { type AgentName, agents, type Endpoint, type Launch } from './agents.ts';
import { type ChatModels, listChatModels } from './chat-models.ts';
import { runAgent } from './run-agent.ts';
import { type KeySource, shellText } from './shell-text.ts';

const notes = `
Examples:
  corral launch claude                               print how to start Claude Code
  corral launch claude --run                         start it
  corral launch codex -- exec "explain this folder"  start Codex with arguments
  corral launch opencode --model qwen3-coder --run
  corral launch claude --json

The key is read from CORRAL_API_KEY, else OPENAI_API_KEY, or from --key-file. What is printed refers to it; --with-key prints
the key itself. An agent that is started finds it in its environment. Nothing is written to disk.`;

interface LaunchOptions extends GatewayOptions {
  readonly model?: string;
  readonly smallModel?: string;
  readonly withKey?: true;
  readonly run?: true;
  readonly json?: true;
}

/** `corral launch`: points a coding agent at a deployment. */
export function launchCommand(): Command {
  const command = new Command('launch')
    .description('print how to start a coding agent with this deployment, or start it')
    .addArgument(new Argument('<agent>', 'which agent').choices(Object.keys(agents)))
    .argument('[args...]', 'arguments of the agent, after --; they start it')
    .addOption(new Option('--model <name>', 'model to use (default: the only chat model)'))
    .addOption(new Option('--small-model <name>', 'model for titles and summaries (default: the same)'))
    .addOption(new Option('--run', 'start the agent'));
  for (const option of gatewayOptions('inference')) command.addOption(option);
  return command
    .addOption(new Option('--with-key', 'print the key itself').conflicts('run'))
    .addOption(jsonOption().conflicts('run'))
    .addHelpText('after', notes)
    .action(launch);
}

async function launch(name: AgentName, args: readonly string[], options: LaunchOptions): Promise<void> {
  const agent = agents[name];
  const isRun = options.run === true || args.length > 0;
  if (isRun && (options.json || options.withKey))
    throw new UsageError('--json and --with-key print how to start the agent: leave out its arguments');
  const gateway = await findGateway(options);
  const models = await listChatModels(gateway);
  const endpoint = createEndpoint(gateway, models, options);
  warnOfSmallContext(agent.title, endpoint);
  const plan = agent.plan(endpoint);
  if (isRun) return runAgent(agent, plan, { key: gateway.apiKey, moreArgs: args });
  const key = options.withKey && gateway.apiKey !== undefined ? { text: gateway.apiKey } : keySource(options);
  if (options.json) return writeJson(describe(plan, key));
  writeStdout(shellText(plan, key));
  if (process.stdout.isTTY) writeStderr(`\nStart it with: corral launch ${name} --run`);
}

function createEndpoint(
  { origin, apiKey }: Awaited<ReturnType<typeof findGateway>>,
  models: ChatModels,
  options: LaunchOptions,
): Endpoint {
  const model = chooseModel(models, options.model);
  return {
    origin,
    model,
    smallModel: options.smallModel === undefined ? model : chooseModel(models, options.smallModel),
    models: models.all,
    keyVariable: apiKey === undefined ? undefined : keyVariable(options),
  };
}

function chooseModel({ all, usual }: ChatModels, wanted: string | undefined): string {
  const names = all.map(({ id }) => id).join(', ');
  if (wanted === undefined) {
    if (usual === undefined) throw new UsageError(`name a model with --model: ${names}`);
    return usual;
  }
  if (!all.some(({ id }) => id === wanted))
    throw new UsageError(`there is no chat model "${wanted}" for this key; there is: ${names}`);
  return wanted;
}

/** Tokens. The instructions and tools of an agent have 10,000 to 30,000, and are followed by the contents of files. */
const ENOUGH_CONTEXT = 65_536;

function warnOfSmallContext(title: string, { models, model }: Endpoint): void {
  const { context = ENOUGH_CONTEXT } = models.find(({ id }) => id === model) ?? {};
  if (context >= ENOUGH_CONTEXT) return;
  const size = context.toLocaleString('en');
  writeStderr(
    `warning: "${model}" has a context of ${size} tokens, which is small for ${title}; raise CTX\n`,
  );
}

/** The variable that has the key, or that is to have it. */
const keyVariable = ({ keyFile }: LaunchOptions) =>
  keyFile === undefined && !process.env.CORRAL_API_KEY ? 'OPENAI_API_KEY' : 'CORRAL_API_KEY';

function keySource(options: LaunchOptions): KeySource {
  return options.keyFile === undefined
    ? { variable: keyVariable(options) }
    : { file: resolve(options.keyFile) };
}

/** With `--with-key` the key is among the variables, otherwise only the name of its variable. */
function describe({ env, keyVariable, ...rest }: Launch, key: KeySource) {
  const isShown = keyVariable !== undefined && key !== undefined && 'text' in key;
  return {
    ...rest,
    env: isShown ? { ...env, [keyVariable]: key.text } : env,
    ...(keyVariable !== undefined && { keyVariable }),
  };
}

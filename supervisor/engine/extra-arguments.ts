const isolation = 'llama-server is reachable through the gateway only';
const reaches = 'it would let requests reach into this machine';
const records = 'it would write what users send to disk';
const mutes = 'the log is all that tells why llama-server could not start';

/** Arguments that EXTRA_ARGS may not carry, and why; a trailing `*` stands for any ending. */
const refused: readonly (readonly [names: string, why: string])[] = [
  ['--host --port --reuse-port', isolation],
  ['--api-key --api-key-file', `${isolation}; its key is made afresh at each boot`],
  ['--ssl-*', `${isolation}; TLS belongs in front of the gateway`],
  ['--api-prefix', 'the gateway and the probes would no longer find it'],
  ['--tools --tools-runtime --agent -ag --mcp-servers-*', reaches],
  ['--ui-mcp-proxy --webui-mcp-proxy', reaches],
  ['--path --media-path', reaches],
  ['--props', 'requests could change the settings of all others'],
  ['--slot-save-path --log-prompts-dir --log-file', records],
  ['--ui --webui', 'the web UI is not served through the gateway'],
  ['--models-* --no-models-autoload', 'one deployment serves one model'],
  ['--model -m', 'set MODEL_PATH'],
  ['--model-url -mu', 'set MODEL_URL'],
  ['--hf-repo -hf -hfr', 'set HF_REPO'],
  ['--docker-repo -dr', 'it names another model: set MODEL_PATH, HF_REPO or MODEL_URL'],
  ['--hf-token -hft', 'set HF_TOKEN: arguments can be read by every user of the machine'],
  ['--alias -a', 'set MODEL_ALIAS'],
  ['--parallel -np', 'set PARALLEL'],
  ['--ctx-size -c', 'set CTX, which counts the tokens of one request'],
  ['--sleep-idle-seconds', 'set SLEEP_IDLE_SECONDS'],
  ['--log-disable', mutes],
  [
    '--no-prefill-assistant',
    'answers could not go on after a crash: what they had said would come twice, as it does where clients write the beginning of an answer',
  ],
  ['--embd-gemma-* --fim-qwen-* --gpt-oss-* --vision-gemma-*', 'it names a model and a port: set HF_REPO'],
];

/** What names files, programs and machines, or tells the log what users send: for who starts the house to set. */
const setAtTheStart = new Set(
  [
    '-v --verbose --log-verbose -lv --verbosity --log-verbosity --rpc -jf --lora --lora-scaled --control-vector',
    '--control-vector-scaled -lcs --lookup-cache-static -lcd --lookup-cache-dynamic -mm --mmproj -mmu -md',
    '--model-draft --spec-draft-model -mv --model-vocoder --spec-draft-hf -hfd -hfrd --hf-repo-draft -hff',
    '-hfv -hfrv --hf-repo-v -hffv --hf-file-v',
  ].flatMap((names) => names.split(' ')),
);
const endsInAPlace = /^--.*-(?:file|path|dir|url)$/;

const reasons = new Map(
  refused.flatMap(([names, why]) => names.split(' ').map((name) => [name, why] as const)),
);
const families = [...reasons].filter(([name]) => name.endsWith('*'));

/** Below 1 llama-server tells not even of its errors. */
const verbosity = new Set(['-lv', '--verbosity', '--log-verbosity']);

export interface ForbiddenArgument {
  readonly argument: string;
  readonly why: string;
}

/** Which of the arguments are refused. Values cannot be told from names here: one that looks like a refused name is refused. */
export function findForbiddenArguments(args: readonly string[]): ForbiddenArgument[] {
  return args.flatMap((argument, index) => {
    const name = nameOf(argument);
    const why =
      reasons.get(name) ??
      families.find(([family]) => name.startsWith(family.slice(0, -1)))?.[1] ??
      whyMuted(name, argument, args[index + 1]);
    return why === undefined ? [] : [{ argument: argument.split('=', 1)[0] ?? argument, why }];
  });
}

function whyMuted(name: string, argument: string, next = ''): string | undefined {
  if (!verbosity.has(name)) return undefined;
  const [, value = next] = argument.split('=');
  return Number(value) < 1 ? `below 1 it says nothing, and ${mutes}` : undefined;
}

/**
 * Which of the arguments an administrator may not set over HTTP, besides those that nobody may: the files of the machine,
 * and what else it can reach, are not theirs.
 */
export function findStartOnlyArguments(args: readonly string[]): string[] {
  return args
    .filter((argument) => setAtTheStart.has(nameOf(argument)) || endsInAPlace.test(nameOf(argument)))
    .map((argument) => argument.split('=', 1)[0] ?? argument);
}

/** Whether one of these arguments is among those given, in whatever spelling. */
export function includesArgument(args: readonly string[], names: readonly string[]): boolean {
  return args.some((argument) => names.includes(nameOf(argument)));
}

/** llama-server takes `--api_key` for `--api-key`; builds differ in whether `--name=value` is taken. */
function nameOf(argument: string): string {
  const name = argument.split('=', 1)[0] ?? argument;
  return name.startsWith('--') ? name.replaceAll('_', '-') : name;
}

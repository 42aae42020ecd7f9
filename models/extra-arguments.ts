const isolation = 'llama-server must be reachable through the gateway only';
const machineAccess = 'it would give requests access to this machine';
const recording = 'it would write user input to disk';
const muting = 'the log is needed to explain failed starts';

/** Arguments that EXTRA_ARGS may not contain, and why; a trailing `*` matches any ending. */
const forbidden: readonly (readonly [names: string, reason: string])[] = [
  ['--host --port --reuse-port', isolation],
  ['--api-key --api-key-file', `${isolation}; its key is generated at each start`],
  ['--ssl-*', `${isolation}; terminate TLS in front of the gateway`],
  ['--api-prefix', 'the gateway and the probes would not find it'],
  ['--tools --tools-runtime --agent -ag --mcp-servers-*', machineAccess],
  ['--ui-mcp-proxy --webui-mcp-proxy', machineAccess],
  ['--path --media-path', machineAccess],
  ['--props', 'requests could change the settings for all clients'],
  ['--slot-save-path --log-prompts-dir --log-file', recording],
  ['--ui --webui', 'the web UI is not served through the gateway'],
  ['--models-* --no-models-autoload', 'one deployment serves one model'],
  ['--model -m', 'use MODEL_PATH instead'],
  ['--model-url -mu', 'use MODEL_URL instead'],
  ['--hf-repo -hf -hfr', 'use HF_REPO instead'],
  ['--docker-repo -dr', 'use MODEL_PATH, HF_REPO or MODEL_URL instead'],
  ['--hf-token -hft', 'use HF_TOKEN instead; every user of the machine can read arguments'],
  ['--alias -a', 'use MODEL_ALIAS instead'],
  ['--parallel -np', 'use PARALLEL instead'],
  ['--ctx-size -c', 'use CTX instead, which counts the tokens of one request'],
  ['--sleep-idle-seconds', 'use SLEEP_IDLE_SECONDS instead'],
  ['--log-disable', muting],
  [
    '--no-prefill-assistant',
    'responses could not be resumed after a crash: their text would be repeated, also for clients that prefill a response',
  ],
  [
    '--embd-gemma-* --fim-qwen-* --gpt-oss-* --vision-gemma-*',
    'it sets a model and a port; use HF_REPO instead',
  ],
];

/** Arguments that name files, programs or machines, or log user input: only the operator may set them, at the start. */
const startOnly = new Set(
  [
    '-v --verbose --log-verbose -lv --verbosity --log-verbosity --rpc -jf --lora --lora-scaled --control-vector',
    '--control-vector-scaled -lcs --lookup-cache-static -lcd --lookup-cache-dynamic -mm --mmproj -mmu -md',
    '--model-draft --spec-draft-model -mv --model-vocoder --spec-draft-hf -hfd -hfrd --hf-repo-draft -hff',
    '-hfv -hfrv --hf-repo-v -hffv --hf-file-v',
  ].flatMap((names) => names.split(' ')),
);
const endsWithLocation = /^--.*-(?:file|path|dir|url)$/;

const reasons = new Map(
  forbidden.flatMap(([names, reason]) => names.split(' ').map((name) => [name, reason] as const)),
);
const patterns = [...reasons].filter(([name]) => name.endsWith('*'));

/** Below 1 llama-server does not even log errors. */
const verbosity = new Set(['-lv', '--verbosity', '--log-verbosity']);

export interface ForbiddenArgument {
  readonly argument: string;
  readonly reason: string;
}

/** The forbidden arguments. Values cannot be distinguished from names: a value that looks like a forbidden name is forbidden. */
export function findForbiddenArguments(args: readonly string[]): ForbiddenArgument[] {
  return args.flatMap((argument, index) => {
    const name = nameOf(argument);
    const reason =
      reasons.get(name) ??
      patterns.find(([pattern]) => name.startsWith(pattern.slice(0, -1)))?.[1] ??
      mutingReason(name, argument, args[index + 1]);
    return reason === undefined ? [] : [{ argument: argument.split('=', 1)[0] ?? argument, reason }];
  });
}

function mutingReason(name: string, argument: string, next = ''): string | undefined {
  if (!verbosity.has(name)) return undefined;
  const [, value = next] = argument.split('=');
  return Number(value) < 1 ? `below 1 llama-server logs nothing, and ${muting}` : undefined;
}

/**
 * The arguments that an administrator may not set over HTTP, in addition to the forbidden ones: the files of the machine
 * and its network are not theirs.
 */
export function findStartOnlyArguments(args: readonly string[]): string[] {
  return args
    .filter((argument) => startOnly.has(nameOf(argument)) || endsWithLocation.test(nameOf(argument)))
    .map((argument) => argument.split('=', 1)[0] ?? argument);
}

/** Whether one of these arguments is given, in any spelling. */
export function includesArgument(args: readonly string[], names: readonly string[]): boolean {
  return args.some((argument) => names.includes(nameOf(argument)));
}

/** The value of the last one of these arguments; undefined if none is given. */
export function argumentValue(args: readonly string[], names: readonly string[]): string | undefined {
  const index = args.findLastIndex((argument) => names.includes(nameOf(argument)));
  return index === -1 ? undefined : (args[index]?.split('=', 2)[1] ?? args[index + 1]);
}

/** llama-server accepts `--api_key` for `--api-key`; only some builds accept `--name=value`. */
function nameOf(argument: string): string {
  const name = argument.split('=', 1)[0] ?? argument;
  return name.startsWith('--') ? name.replaceAll('_', '-') : name;
}

const word = /(?:[^\s"'\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+/y;
const blank = /\s*/y;

/** Splits a line into words like a shell, with quotes and backslashes but without expansion; undefined if a quote is unterminated. */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    blank.lastIndex = at;
    at += blank.exec(line)?.[0].length ?? 0;
    if (at >= line.length) return words;
    word.lastIndex = at;
    const raw = word.exec(line)?.[0];
    if (raw === undefined) return undefined;
    at += raw.length;
    if (at < line.length && !/\s/.test(line.charAt(at))) return undefined;
    words.push(unquote(raw));
  }
}

function unquote(raw: string): string {
  return raw.replace(
    /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])/g,
    (_, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? '',
  );
}

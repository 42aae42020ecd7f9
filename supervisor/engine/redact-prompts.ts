import { findCrashSign } from './crash-class.ts';
import { normalizeEngineLine } from './engine-log.ts';
import { isEngineWord } from './engine-vocabulary.ts';

/** Replaces what is not shown. */
const omitted = '[…]';

/** Requests may run after one of these lines. Builds differ, so there are several; `isServing` is another sign. */
const serving =
  /model loaded|listening on|start_loop|all slots are idle|got exception|\| task \d|slot +(?:launch|get_avail|update|process|release|print_tim)/;

/**
 * Returns a function that removes quoted requests and responses from the lines of one llama-server process. While the model
 * loads, all lines pass. Afterwards only known text is shown: of a log line the start, as far as its words are
 * llama-server's own; of other lines what indicates a crash. Returns undefined for a line of which nothing is left.
 */
export function createPromptRedactor(isServing: () => boolean): (line: string) => string | undefined {
  let mayQuote = false;
  return (raw) => {
    const line = normalizeEngineLine(raw);
    mayQuote ||= isServing() || serving.test(line);
    return mayQuote ? keepKnownParts(line) : line;
  };
}

const prefix = /^[\d.]+ [DIWET] /;
const head =
  /^(?:(?:slot|srv|que|res|cmn) +[\w~:]+(?:\(\))?:|(?:ggml|llama|common|gguf|clip|mtmd|server)_\w+(?:\(\))?:|[a-z]+_[a-z_]+:|(?:decode|encode|load|init):)/;

function keepKnownParts(line: string): string | undefined {
  const time = prefix.exec(line)?.[0] ?? '';
  const text = line.slice(time.length);
  const start = time === '' ? undefined : head.exec(text)?.[0];
  if (start !== undefined && isOwnHead(start)) return time + start + keepOwnText(text.slice(start.length));
  const crash = keepCrashText(text);
  if (crash !== undefined) return time + crash;
  // Debug lines are many, and nothing useful is left of them.
  return time === '' || time.endsWith(' D ') ? undefined : time + omitted;
}

/** The name of a function of llama-server; the text of a request may resemble one. */
function isOwnHead(start: string): boolean {
  const name = start.replace(/(?:\(\))?:$/, '');
  return /^(?:slot|srv|que|res|cmn) /.test(name) || isEngineWord(name);
}

/** Text after these is not llama-server's own, even if the words are. */
const introducer =
  /\b(?:exception|prompt|token(?: +\d+)?|piece|content|message|messages|grammar|Grammar|schema|request|response|chunk|template|output|input|params|chain|text|said|tools?|body|state|string)\s*(?:\([^)]*\))?\s*[:=](?![ \d]*\d+ tokens)/;
const piece =
  /\s+|[-+~]?\d[\d.]*(?:e[-+]?\d+)?(?:[ac]\d+)*|0x[\da-f]+|[A-Za-z_][\w./]*(?:::\w+)*(?:\(\))?|\[(?=\d)|\](?=[\s,.]|$)|[-,.;:()|/=<>+%#~*?!]/y;

const address = /^ listening on (?:unix|https?):\/\/\S{1,200}$/;

/** The start of a text, as far as it is llama-server's own. */
function keepOwnText(text: string): string {
  if (address.test(text)) return text;
  const introduced = introducer.exec(text);
  const end = introduced ? introduced.index + introduced[0].length : text.length;
  let at = 0;
  while (at < end) {
    piece.lastIndex = at;
    const [part] = piece.exec(text) ?? [];
    if (part === undefined || (/^[A-Za-z_]/.test(part) && !isOwnWord(part))) break;
    at += part.length;
  }
  const own = text.slice(0, Math.min(at, end)).trimEnd();
  if (own === text.trimEnd()) return own;
  const code = /^ got exception: \{"error":(\{"code":\d{3}),/.exec(text)?.[1];
  const sign = findCrashSign(unquoted(text.slice(own.length)));
  return [own, code && `${code}}`, omitted, sign].filter((part) => part !== undefined).join(' ');
}

const isOwnWord = (part: string) => {
  const word = part.replace(/\(\)$/, '').replace(/[./]+$/, '');
  return isEngineWord(word) || word.split(/[./]/).every(isEngineWord);
};

/** A crash pattern inside quoted text does not count. */
const unquoted = (text: string) => text.split(/['"`{]/, 1)[0] ?? '';

const sources = /^\S*\.(?:c|cc|cpp|cu|cuh|h|hpp|m|metal|comp):\d+: /;

/** How a program, its runtime or a debugger reports a crash: no part of it comes from a request. */
const crashes: readonly RegExp[] = [
  /^terminate called (?:after throwing an instance of '[\w:<>, *&]{1,120}'|without an active exception|recursively)/,
  /^\s+current device: -?\d+, in function \w+ at \S+:\d+/,
  /^\s+(?:cuda|cu|hip|cublas|hipblas|nccl|musa|mublas)[A-Z_]\w*\([\w>.()[\], *&:-]*\)/,
  /^#\d+\s+(?:0x[\da-f]+ in )?[\w:~@.]+/,
  /^\/\S+\([\w+.]*\)\s*\[0x[\da-f]+\]/,
  /^\[(?:New LWP \d+|Thread debugging using libthread_db enabled|Inferior \d+ \(process \d+\) detached)\]/,
  /^Using host libthread_db library/,
  /^ptrace: Operation not permitted\./,
  /^No (?:stack|symbol table is loaded|executable file now)\./,
  /^(?:free|malloc|realloc|calloc|malloc_consolidate|munmap_chunk|tcache_\w+)\(\): [a-z ]{1,60}(?:\([a-z]+\))?/,
  /^(?:corrupted|double free or corruption|Fatal glibc error)[\w :.()!-]{0,80}/,
  /^\*\*\* [a-z ]{1,60} \*\*\*: terminated/,
  /^(?:Aborted|Killed|Segmentation fault|Illegal instruction|Bus error|Terminated|Floating point exception)(?: \(core dumped\))?$/,
  /^(?:CUDA|HIP|ROCm|SYCL|MUSA) error: [a-z ,()-]{1,100}/,
  /^setpriv: failed to execute/,
];

function keepCrashText(text: string): string | undefined {
  const report = crashes.find((shape) => shape.test(text))?.exec(text)?.[0];
  if (report !== undefined) return report === text ? text : `${report} ${omitted}`;
  const place = sources.exec(text)?.[0];
  if (place !== undefined) return place + keepAssertion(text.slice(place.length));
  const what = /^\s+what\(\): +/.exec(text)?.[0];
  if (what !== undefined) return what + keepOwnText(text.slice(what.length));
  const sign = findCrashSign(unquoted(text));
  return sign === undefined ? undefined : `${omitted} ${sign}`;
}

/** The condition of an assertion is part of the source code. */
const keepAssertion = (text: string) =>
  /^GGML_ASSERT\(.{1,200}\) failed/.exec(text)?.[0] ?? keepOwnText(text);

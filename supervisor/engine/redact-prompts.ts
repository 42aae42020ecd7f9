import { findCrashSign } from './crash-class.ts';
import { normalizeEngineLine } from './engine-log.ts';
import { isEngineWord } from './engine-vocabulary.ts';

/** Stands for what is not shown. */
const cut = '[…]';

/** From these lines on requests may be at work. Builds differ, so several signs are known, and `serves` tells, too. */
const serving =
  /model loaded|listening on|start_loop|all slots are idle|got exception|\| task \d|slot +(?:launch|get_avail|update|process|release|print_tim)/;

/**
 * Answers how to show the lines of one llama-server process: without what they quote of a request or an answer. While it
 * loads nothing of the kind is in it, and its lines pass. From then on only what is known to be its own is shown: of a line
 * of its log the begin, as far as the words are its own, of all else what tells of a crash. Undefined is a line of which nothing is left.
 */
export function createPromptRedactor(serves: () => boolean): (line: string) => string | undefined {
  let mayQuote = false;
  return (said) => {
    const line = normalizeEngineLine(said);
    mayQuote ||= serves() || serving.test(line);
    return mayQuote ? ownWords(line) : line;
  };
}

const prefix = /^[\d.]+ [DIWET] /;
const head =
  /^(?:(?:slot|srv|que|res|cmn) +[\w~:]+(?:\(\))?:|(?:ggml|llama|common|gguf|clip|mtmd|server)_\w+(?:\(\))?:|[a-z]+_[a-z_]+:|(?:decode|encode|load|init):)/;

function ownWords(line: string): string | undefined {
  const time = prefix.exec(line)?.[0] ?? '';
  const text = line.slice(time.length);
  const begin = time === '' ? undefined : head.exec(text)?.[0];
  if (begin !== undefined && isOwnHead(begin)) return time + begin + shown(text.slice(begin.length));
  const told = tellsOfCrash(text);
  if (told !== undefined) return time + told;
  // Those for developers are many, and say nothing any more.
  return time === '' || time.endsWith(' D ') ? undefined : time + cut;
}

/** A name of a function of its own; what a request says may look like one. */
function isOwnHead(begin: string): boolean {
  const name = begin.replace(/(?:\(\))?:$/, '');
  return /^(?:slot|srv|que|res|cmn) /.test(name) || isEngineWord(name);
}

/** What is behind these is not its own, even where the words look so. */
const introducer =
  /\b(?:exception|prompt|token(?: +\d+)?|piece|content|message|messages|grammar|Grammar|schema|request|response|chunk|template|output|input|params|chain|text|said|tools?|body|state|string)\s*(?:\([^)]*\))?\s*[:=](?![ \d]*\d+ tokens)/;
const piece =
  /\s+|[-+~]?\d[\d.]*(?:e[-+]?\d+)?(?:[ac]\d+)*|0x[\da-f]+|[A-Za-z_][\w./]*(?:::\w+)*(?:\(\))?|\[(?=\d)|\](?=[\s,.]|$)|[-,.;:()|/=<>+%#~*?!]/y;

const address = /^ listening on (?:unix|https?):\/\/\S{1,200}$/;

/** As much of it as is its own. */
function shown(text: string): string {
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
  return [own, code && `${code}}`, cut, sign].filter((part) => part !== undefined).join(' ');
}

const isOwnWord = (part: string) => {
  const word = part.replace(/\(\)$/, '').replace(/[./]+$/, '');
  return isEngineWord(word) || word.split(/[./]/).every(isEngineWord);
};

/** A sign of a crash inside what is quoted is none. */
const unquoted = (text: string) => text.split(/['"`{]/, 1)[0] ?? '';

const sources = /^\S*\.(?:c|cc|cpp|cu|cuh|h|hpp|m|metal|comp):\d+: /;

/** How a program and those who look after it begin to tell of its end: nothing of it comes from outside. */
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

function tellsOfCrash(text: string): string | undefined {
  const whole = crashes.find((shape) => shape.test(text))?.exec(text)?.[0];
  if (whole !== undefined) return whole === text ? text : `${whole} ${cut}`;
  const place = sources.exec(text)?.[0];
  if (place !== undefined) return place + told(text.slice(place.length));
  const what = /^\s+what\(\): +/.exec(text)?.[0];
  if (what !== undefined) return what + shown(text.slice(what.length));
  const sign = findCrashSign(unquoted(text));
  return sign === undefined ? undefined : `${cut} ${sign}`;
}

/** The condition of an assertion stands in the source. */
const told = (text: string) => /^GGML_ASSERT\(.{1,200}\) failed/.exec(text)?.[0] ?? shown(text);

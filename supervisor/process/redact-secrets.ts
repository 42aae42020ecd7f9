/** Shorter ones would be found in ordinary words. */
const shortestSecret = 6;

/** Those that are told by their looks, wherever they come from: keys that we have minted, tokens of Hugging Face, credentials of a header. */
const looksSecret = /\bsk-[\w-]{40,}|\bhf_\w{20,}|\b(Basic|Bearer) +[\w+/=.~-]{6,}/gi;

/** A word that can be a key's secret: see keys/legacy-lines.ts. */
const keyLike = /[\p{L}\p{N}_-]{16,}/gu;

/**
 * Answers how to show a line of a child: without our secrets, in whatever form they stand in it, and without what addresses
 * carry of others'. Of `keys` there may be many thousands; they are found as whole words.
 */
export function createSecretRedactor(
  secrets: readonly string[],
  keys: readonly string[] = [],
): (line: string) => string {
  const known = secrets.filter((secret) => secret.length >= shortestSecret);
  const longestFirst = [...new Set(known.flatMap(formsOf))].sort((a, b) => b.length - a.length);
  const ofKeys = new Set(keys);
  return (line) =>
    longestFirst
      .reduce((text, secret) => text.replaceAll(secret, '[secret]'), line)
      .replace(keyLike, (word) => (ofKeys.has(word) ? '[secret]' : word))
      .replace(looksSecret, (_, scheme?: string) => (scheme ? `${scheme} [secret]` : '[secret]'))
      .replace(/(\w:\/\/)[^\s/@'"]*@/g, '$1')
      .replace(/(https?:\/\/[^\s?'"]*)\?[^\s'"]*/g, '$1?…');
}

/** As it is, in an address, in JSON, in a header of HTTP's basic scheme. */
function formsOf(secret: string): string[] {
  const inAddress = encodeURIComponent(secret);
  const lower = inAddress.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase());
  const inBase64 = [secret, `:${secret}`].map((text) => Buffer.from(text).toString('base64'));
  const inUrlsBase64 = inBase64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const unpadded = [...inBase64, ...inUrlsBase64].map((text) => text.replace(/=+$/, ''));
  return [
    secret,
    inAddress,
    lower,
    JSON.stringify(secret).slice(1, -1),
    ...inBase64,
    ...inUrlsBase64,
    ...unpadded,
  ];
}

const secretive = /key|token|password|secret/i;

/** Arguments as they may be shown: the value behind an option that sounds like a secret is not. */
export function redactArguments(args: readonly string[], hidden: (line: string) => string): string[] {
  return args.map((argument, index) => {
    const [name = '', ...value] = argument.split('=');
    if (isOption(name) && secretive.test(name) && value.length > 0) return `${name}=[secret]`;
    const before = args[index - 1] ?? '';
    const isValue =
      isOption(before) && secretive.test(before) && !before.includes('=') && !isOption(argument);
    return isValue ? '[secret]' : hidden(argument);
  });
}

const isOption = (argument: string) => argument.startsWith('-');

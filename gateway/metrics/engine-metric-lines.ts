/** Averages since the last scrape, whoever that was: they mean nothing to the next one. Prometheus makes better ones of the counters. */
const windowed = new Set(['llamacpp:prompt_tokens_seconds', 'llamacpp:predicted_tokens_seconds']);

const line = /^(?:# (?:HELP|TYPE) )?(llamacpp:\w+)(?:[ {].*)$/;

/** llama-server's own metrics as it names them, but for those that a scrape resets, and for what is none. */
export function engineMetricLines(text: string): string {
  const kept = text.split('\n').filter((one) => {
    const name = line.exec(one)?.[1];
    return name !== undefined && !windowed.has(name);
  });
  return kept.map((one) => `${one}\n`).join('');
}

export type StreamEvent = Readonly<Record<string, unknown>>;

/** Rewrites the events of a piece one by one; one that is answered with undefined is left out. What is no JSON passes. */
export function mapEvents(events: Buffer, rewrite: (event: StreamEvent) => StreamEvent | undefined): Buffer {
  const blocks = events.toString().split('\n\n');
  return Buffer.from(
    blocks
      .map((block) => rewriteBlock(block, rewrite))
      .filter((it) => it !== undefined)
      .join('\n\n'),
  );
}

function rewriteBlock(
  block: string,
  rewrite: (event: StreamEvent) => StreamEvent | undefined,
): string | undefined {
  const [, head = '', data] = /^((?:event: .*\n)?data: )(\{.*\})$/s.exec(block) ?? [];
  if (data === undefined) return block;
  const event = rewrite(JSON.parse(data) as StreamEvent);
  return event && head + JSON.stringify(event);
}

/** The events of a text, parsed; what is no JSON is left out. */
export function parseEvents(text: string): StreamEvent[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: {') && line.endsWith('}'))
    .map((line) => JSON.parse(line.slice('data: '.length)) as StreamEvent);
}

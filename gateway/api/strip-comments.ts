const EVENT_END = '\n\n';
const colon = 0x3a;
/** What llama-server's stream begins with for several prompts; clients take it for a chunk, and break. */
const emptyEvent = Buffer.from('data: null\n\n');

/** Whole events without llama-server's own signs of life, `:`, which come at its pace, and without empty events. */
export function stripComments(events: Buffer): Buffer {
  if (!hasFillers(events)) return events;
  const kept = events
    .toString()
    .split(EVENT_END)
    .filter((event) => !event.startsWith(':') && event !== 'data: null');
  return Buffer.from(kept.join(EVENT_END));
}

/** They come alone or, rarely, with others. */
function hasFillers(events: Buffer): boolean {
  return (
    events[0] === colon ||
    events.includes('\n\n:') ||
    events.subarray(0, emptyEvent.length).equals(emptyEvent)
  );
}

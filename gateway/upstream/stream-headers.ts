/**
 * What stands on all streams: nobody on the way may keep them, hold them until they are whole, or compress them, which
 * comes to the same.
 */
export const streamHeaders = {
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;

/** The heads that go out before an answer is there. */
export const earlyHeaders = {
  events: { 'content-type': 'text/event-stream', ...streamHeaders },
  json: { 'content-type': 'application/json; charset=utf-8', ...streamHeaders },
} as const;

import type { GatewayMessage } from '../../health/supervisor-messages.ts';

/** How long nobody may be there, ms, before that is told: between two requests of one conversation nothing is. */
const QUIET = 1000;

/**
 * Takes how many requests are under way, whenever that changes, and tells whether there are any: their coming at once,
 * their absence after a while. So a busy gateway sends no message.
 */
export function reportActivity(tell: (message: GatewayMessage) => void): (open: number) => void {
  let told: 'busy' | 'idle' = 'idle';
  let timer: NodeJS.Timeout | undefined;
  return (open) => {
    clearTimeout(timer);
    if (open > 0 && told === 'idle') {
      told = 'busy';
      tell({ kind: 'busy' });
    }
    if (open > 0) return;
    timer = setTimeout(() => {
      told = 'idle';
      tell({ kind: 'idle', forMs: QUIET });
    }, QUIET).unref();
  };
}

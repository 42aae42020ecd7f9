import type { GatewayMessage, SupervisorMessage } from '../../health/supervisor-messages.ts';

/** The way to whoever started this process and back. */
export interface ParentChannel {
  send(message: GatewayMessage): void;
  /** Called at most once; what has come before is heard then. */
  onMessage(hear: (message: SupervisorMessage) => unknown): void;
}

/** Undefined where our parent has opened none. It does not keep this process alive, and may close at any time. */
export function createParentChannel(): ParentChannel | undefined {
  if (!process.send) return undefined;
  return {
    send(message) {
      // Lost with the channel: then there is nobody left to hear it.
      if (process.connected) process.send?.(message, () => {});
    },
    onMessage(hear) {
      process.on('message', hear);
      process.channel?.unref();
    },
  };
}

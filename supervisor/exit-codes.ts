/** What the exit code of `corral serve` tells whoever started it. */
export const exitCodes = {
  /** Stopped because it was asked to. */
  stopped: 0,
  /** A fault of ours. */
  internal: 1,
  /** Something has to be configured differently; nothing was started. */
  configuration: 2,
  /** llama-server could not load the model, or ended too often: starting again as it is will not help. */
  engineFailed: 3,
  /** The gateway ended too often. */
  gatewayFailed: 4,
  /** The worker of RunPod's queue ended too often. */
  queueWorkerFailed: 5,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

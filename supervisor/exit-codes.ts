/** The exit codes of `corral serve`. */
export const exitCodes = {
  /** Stopped on request, or idle. */
  stopped: 0,
  /** A bug in llama-corral. */
  internal: 1,
  /** The configuration is invalid; nothing was started. */
  configuration: 2,
  /** llama-server could not load the model, or crashed too often: another start with the same configuration will not help. */
  engineFailed: 3,
  /** The gateway crashed too often. */
  gatewayFailed: 4,
  /** The RunPod queue worker crashed too often. */
  queueWorkerFailed: 5,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * Variables of llama-gguf-inference that have no effect, and what to use instead. `INSTANCE_ID` is not listed because
 * platforms set it, too.
 */
export const removedVariables: Readonly<Record<string, string>> = {
  GATEWAY_PORT: 'set PORT',
  BACKEND_HOST: 'llama-server listens on a unix socket, or on loopback if PORT_BACKEND is set',
  BACKEND_PORT: 'set PORT_BACKEND, or leave llama-server on its unix socket',
  HEALTH_TIMEOUT: 'no probe waits for llama-server',
  LOG_NAME: 'LOG_FILES=true keeps the log in $DATA_DIR/logs',
  WORKER_TYPE: 'LOG_FILES=true keeps the log in $DATA_DIR/logs',
  LOG_DIR: 'LOG_FILES=true keeps the log in $DATA_DIR/logs',
  DEBUG_SHELL: 'corral config shows what is set',
  MOCK_BACKEND: 'corral serve --demo includes a model',
};

/** One warning for each that is set. */
export function removedVariableWarnings(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(removedVariables)
    .filter(([name]) => env[name])
    .map(([name, instead]) => `${name} (llama-gguf-inference) has no effect: ${instead}`);
}

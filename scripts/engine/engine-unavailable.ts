const advice = `Ways to get a llama-server:
  Debian         apt install llama.cpp-tools (in forky and sid)
  container      the image ghcr.io/ggml-org/llama.cpp:server contains /app/llama-server
  Homebrew       brew install llama.cpp
  from source    build llama.cpp, then set LLAMA_SERVER_BIN to its llama-server`;

/**
 * There is no llama-server on this machine and none could be fetched. The message is the reason, and lists the ways to get
 * one.
 */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineNotToBeHad';
  /** The reason, without the advice. */
  readonly reason: string;

  constructor(reason: string, options?: ErrorOptions) {
    super(`llama-server could not be fetched: ${reason}.\n${advice}`, options);
    this.reason = reason;
  }

  static from(error: unknown): EngineUnavailable {
    if (error instanceof EngineUnavailable) return error;
    return new EngineUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

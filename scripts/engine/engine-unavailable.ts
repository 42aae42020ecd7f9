const waysToGetOne = `A llama-server can be had in any of these ways:
  Debian         apt install llama.cpp-tools (in forky and sid)
  container      the image ghcr.io/ggml-org/llama.cpp:server holds one as /app/llama-server
  Homebrew       brew install llama.cpp
  by yourself    build llama.cpp, then set LLAMA_SERVER_BIN to its llama-server`;

/** No llama-server here and none could be fetched: the message says why, and every way to get one. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineNotToBeHad';
  /** Why it could not be fetched, without the advice. */
  readonly reason: string;

  constructor(reason: string, options?: ErrorOptions) {
    super(`llama-server could not be fetched: ${reason}.\n${waysToGetOne}`, options);
    this.reason = reason;
  }

  static from(error: unknown): EngineUnavailable {
    if (error instanceof EngineUnavailable) return error;
    return new EngineUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

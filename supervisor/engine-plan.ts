import type { SupervisorConfig } from './config.ts';

/** What llama-server is started with: what has served, and what is on trial. The one owner of that. */
export class EnginePlan {
  #proved: SupervisorConfig;
  #onTrial: SupervisorConfig | undefined;

  constructor(config: SupervisorConfig) {
    this.#proved = config;
  }

  get current(): SupervisorConfig {
    return this.#onTrial ?? this.#proved;
  }

  tryOut(config: SupervisorConfig): void {
    this.#onTrial = config;
  }

  /** What is on trial serves. */
  keep(): void {
    this.#proved = this.current;
    this.#onTrial = undefined;
  }

  /** Back to what has served. False where nothing was on trial. */
  takeBack(): boolean {
    const was = this.#onTrial !== undefined;
    this.#onTrial = undefined;
    return was;
  }
}

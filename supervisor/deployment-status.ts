import type { BackendStatus } from '../health/backend.ts';
import { type SystemState, systemStatus } from './system-status.ts';

/** The overall status over time. */
export class DeploymentStatus {
  #current: BackendStatus = 'starting';
  #since = new Date();
  #wasReady = false;

  get current(): BackendStatus {
    return this.#current;
  }

  /** When it began. */
  get since(): Date {
    return this.#since;
  }

  /** It has been ready since the start. */
  get wasReady(): boolean {
    return this.#wasReady;
  }

  /** True if it has changed. */
  update(state: Omit<SystemState, 'everReady'>): boolean {
    const next = systemStatus({ ...state, everReady: this.#wasReady });
    this.#wasReady ||= next === 'ready';
    if (next === this.#current) return false;
    this.#current = next;
    this.#since = new Date();
    return true;
  }
}

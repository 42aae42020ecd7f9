import { LiveFile } from '../../fs/live-file.ts';
import { requestBackend } from '../../health/request-backend.ts';
import type { JsonObject } from '../../json/json-object.ts';
import type { Log } from '../../log/create-log.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import { parseWarmPrompts, type WarmPrompt, WarmPromptsError } from '../../models/warm-prompts.ts';
import { readUsage } from '../api/usage.ts';
import type { GatewayConfig } from '../config.ts';
import type { EngineServices } from '../engines/engine-services.ts';
import { ApiError } from '../errors/api-error.ts';
import type { Preemptible } from '../scheduler/idle-slots.ts';
import { batchLaneForKey } from '../scheduler/lane.ts';
import { createWarmRequest, type WarmRequest } from './warm-request.ts';

/** The model of an engine. */
export interface WarmModel {
  /** Whether a prompt is for it. */
  isFor(name: string | undefined): boolean;
  readonly defaults: JsonObject;
}

/** How often a prompt is sent again to an engine that does not respond. */
const MAX_FAILURES = 5;
/** For reading one prompt, ms. */
const TIMEOUT = 600_000;

/** What became of a prompt. Undefined: the engine is gone, or about to go. */
type WarmResult =
  | { readonly tokens: number; readonly cached: number }
  | { readonly problem: string }
  | undefined;

/**
 * Lets each engine read the prompts of `WARM_PROMPTS` again after it has loaded its model, so that the first request with one
 * of them finds it in the prompt cache. They take idle slots only, like lines of batches, and give way to every request.
 */
export class WarmUp implements Disposable {
  readonly #config: GatewayConfig;
  readonly #log: Log;
  readonly #prompts: LiveFile<readonly WarmPrompt[]>;
  /** The engines that are ready, and what ends their warm-up. */
  readonly #running = new Map<EngineServices, { readonly model: WarmModel; readonly end: AbortController }>();
  /** Whether a model is for this name, or answers requests without one. */
  #isNamed: (name: string | undefined) => boolean = () => true;
  /** The places of prompts that no model is for. */
  #reported = new Set<string>();

  constructor(config: GatewayConfig, file: string, log: Log) {
    this.#config = config;
    this.#log = log;
    this.#prompts = new LiveFile<readonly WarmPrompt[]>({
      file,
      subject: 'warm prompts',
      initial: [],
      parse(snapshot) {
        if (snapshot === undefined) throw new WarmPromptsError('is missing');
        return parseWarmPrompts(snapshot.text);
      },
      isSame: (prompts, before) => JSON.stringify(prompts) === JSON.stringify(before),
      onChange: (prompts) => {
        log.info({ prompts: prompts.length }, 'warm prompts reloaded');
        this.#reported.clear();
        this.#reportUnread(prompts);
        for (const [engine, { model }] of [...this.#running]) this.onReady(engine, model);
      },
      onError: (problem) => log.error(`${problem}; the warm prompts loaded before remain in use`),
      onRecovered: (message) => log.info(message),
    });
    if (this.#prompts.problem !== undefined)
      log.error(`${this.#prompts.problem}; no prompts are read in advance`);
  }

  /** To be called when the models have changed. `isNamed`: whether one of them is for a name. */
  onModels(isNamed: (name: string | undefined) => boolean): void {
    this.#isNamed = isNamed;
    this.#reportUnread(this.#prompts.value);
  }

  #reportUnread(prompts: readonly WarmPrompt[]): void {
    for (const { place, model } of prompts) {
      if (this.#isNamed(model)) this.#reported.delete(place);
      else if (!this.#reported.has(place)) {
        this.#reported.add(place);
        const problem =
          model === undefined
            ? 'it names no model, and there is not exactly one'
            : `there is no model ${JSON.stringify(model.slice(0, 100))}`;
        this.#log.warn({ place }, `a warm prompt cannot be read: ${problem}`);
      }
    }
  }

  /** To be called when an engine has loaded its model. */
  onReady(engine: EngineServices, model: WarmModel): void {
    this.onDown(engine);
    const end = new AbortController();
    this.#running.set(engine, { model, end });
    this.#warm(engine, model, end.signal).catch(recordUnhandledError);
  }

  onDown(engine: EngineServices): void {
    this.#running.get(engine)?.end.abort();
    this.#running.delete(engine);
  }

  [Symbol.dispose](): void {
    this.#prompts.close();
    for (const engine of this.#running.keys()) this.onDown(engine);
  }

  async #warm(engine: EngineServices, model: WarmModel, signal: AbortSignal): Promise<void> {
    const prompts = this.#prompts.value.filter((prompt) => model.isFor(prompt.model));
    if (prompts.length === 0 || engine.monitor.isRouter) return;
    const since = performance.now();
    const read = { prompts: 0, tokens: 0, cached: 0 };
    for (const prompt of prompts) {
      const result = await this.#readPrompt(engine, prompt, model.defaults, signal);
      if (result === undefined) return;
      if ('problem' in result) {
        this.#log.warn(
          { engine: engine.id, place: prompt.place },
          `a warm prompt cannot be read: ${result.problem}`,
        );
        continue;
      }
      read.prompts += 1;
      read.tokens += result.tokens;
      read.cached += result.cached;
    }
    const ms = Math.round(performance.now() - since);
    this.#log.info({ engine: engine.id, ...read, ms }, 'warm prompts are in the prompt cache');
  }

  async #readPrompt(
    engine: EngineServices,
    prompt: WarmPrompt,
    defaults: JsonObject,
    signal: AbortSignal,
  ): Promise<WarmResult> {
    try {
      return await sendWhenIdle(engine, createWarmRequest(prompt, defaults, engine, this.#config), signal);
    } catch (error) {
      if (error instanceof ApiError) return { problem: `${error.code}: ${error.message}` };
      throw error;
    }
  }
}

/** It gives way as often as its slot is wanted. What the engine has read by then stays in its cache. */
async function sendWhenIdle(
  engine: EngineServices,
  { path, body }: WarmRequest,
  signal: AbortSignal,
): Promise<WarmResult> {
  const { quarantine, scheduler } = engine;
  for (let failures = 0; failures < MAX_FAILURES; ) {
    if (quarantine.isBlocked(body)) return { problem: 'llama-server has crashed on it repeatedly' };
    const preempted = new AbortController();
    const line: Preemptible = {
      generated: 0,
      mayGiveWay: () => true,
      preempt: () => preempted.abort(),
    };
    const admission = await scheduler.admit({
      lane: batchLaneForKey(undefined, undefined),
      slots: 1,
      signal,
      line,
    });
    if (admission.outcome !== 'granted') return undefined;
    using lease = admission.lease;
    const tracked = quarantine.start(body);
    if (tracked === undefined) {
      lease[Symbol.dispose]();
      await quarantine.waitForTurn(signal);
      continue;
    }
    const slotUse = engine.slotTracker.track(lease, true);
    const response = await requestBackend(engine.backend, {
      path,
      body,
      timeoutMs: TIMEOUT,
      signal: AbortSignal.any([signal, preempted.signal]),
    });
    slotUse.end(response.outcome === 'responded' ? 'complete' : 'aborted');
    if (response.outcome === 'responded') quarantine.completed(tracked);
    else if (response.outcome === 'unreachable') await quarantine.connectionLost(tracked, 0);
    else quarantine.abandoned(tracked);
    if (signal.aborted) return undefined;
    if (preempted.signal.aborted && response.outcome !== 'responded') continue;
    if (response.outcome !== 'responded' || response.status === 503) {
      // It has just been replaced: wait until it is ready.
      failures += 1;
      await engine.monitor.refresh();
      continue;
    }
    if (response.status !== 200) return { problem: `llama-server responds with ${response.status}` };
    const { input = 0, cached = 0 } = readUsage(response.body) ?? {};
    return { tokens: input, cached };
  }
  return { problem: 'llama-server does not respond' };
}

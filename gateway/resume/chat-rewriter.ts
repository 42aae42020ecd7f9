import { mapEventData, parseEvents, type StreamEvent } from '../../sse/sse.ts';
import { combineTimings, combineUsage } from './combine-usage.ts';
import type { ResumePoint, ResumeRewriter } from './resume-rewriter.ts';

interface Choice {
  readonly delta?: { readonly role?: unknown };
  readonly finish_reason?: unknown;
}

/** Of chats and completions. Their chunks all carry the answer's id and time, which stay the first engine's. */
export class ChatResumeRewriter implements ResumeRewriter {
  readonly #facts: ResumePoint;
  readonly #names: StreamEvent;
  readonly #hasRole: boolean;
  readonly #hasFinish: boolean;

  constructor(facts: ResumePoint) {
    const opening = parseEvents(facts.opening);
    const { id, created, model, system_fingerprint } = opening[0] ?? {};
    const told = { id, created, model, system_fingerprint };
    this.#facts = facts;
    this.#names = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
    this.#hasRole = opening.some(isRole);
    this.#hasFinish = parseEvents(facts.closing).some((event) => choiceOf(event)?.finish_reason);
  }

  rewriteEvents(events: Buffer): Buffer {
    return mapEventData(events, (event) => this.#rewrite(event));
  }

  #rewrite(event: StreamEvent): StreamEvent | undefined {
    const choice = choiceOf(event);
    if (choice && this.#isToldAlready(event, choice)) return undefined;
    const { finished, tokenShift } = this.#facts;
    const { usage, timings } = event as { usage?: StreamEvent; timings?: StreamEvent };
    return {
      ...event,
      ...this.#names,
      ...(choice && finished === 'at-limit' ? { choices: [{ ...choice, finish_reason: 'length' }] } : {}),
      ...(usage ? { usage: combineUsage(usage, tokenShift) } : {}),
      ...(timings ? { timings: combineTimings(timings, tokenShift) } : {}),
    };
  }

  #isToldAlready(event: StreamEvent, choice: Choice): boolean {
    if (isRole(event)) return this.#hasRole;
    return this.#hasFinish || (this.#facts.finished !== 'no' && !choice.finish_reason);
  }
}

function choiceOf({ choices }: StreamEvent): Choice | undefined {
  return (choices as readonly Choice[] | undefined)?.[0];
}

/** The event that opens a chat, with nothing but whose turn it is. */
const isRole = (event: StreamEvent) => choiceOf(event)?.delta?.role !== undefined;

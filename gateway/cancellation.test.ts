import { describe, expect, it, vi } from 'vitest';
import { RequestController, toAbortSignal } from './cancellation.ts';

const reason = new Error('the client left');

describe(RequestController, () => {
  it('calls its listeners once, with the reason set', () => {
    const controller = new RequestController();
    const { signal } = controller;
    const heard: unknown[] = [];
    signal.addEventListener('abort', () => heard.push(signal.reason));
    expect(signal.aborted).toBe(false);
    controller.abort(reason);
    controller.abort(new Error('again'));
    expect(heard).toEqual([reason]);
    expect(signal).toMatchObject({ aborted: true, reason });
  });

  it('calls no listener that was removed, and each of the others', () => {
    const controller = new RequestController();
    const [removed, other] = [vi.fn(), vi.fn()];
    controller.addEventListener('abort', removed);
    controller.addEventListener('abort', () => controller.removeEventListener('abort', other));
    controller.addEventListener('abort', other);
    controller.removeEventListener('abort', removed);
    controller.abort(reason);
    expect(removed).not.toHaveBeenCalled();
    expect(other).toHaveBeenCalledOnce();
  });
});

describe(toAbortSignal, () => {
  it.each(['before', 'after'] as const)('gives one signal that aborts, made %s the abort', (when) => {
    const controller = new RequestController();
    const early = when === 'before' ? toAbortSignal(controller) : undefined;
    controller.abort(reason);
    const signal = toAbortSignal(controller);
    expect(signal).toBeInstanceOf(AbortSignal);
    expect(signal).toMatchObject({ aborted: true, reason });
    if (early !== undefined) expect(early).toBe(signal);
  });

  it('passes an AbortSignal on', () => {
    const { signal } = new AbortController();
    expect(toAbortSignal(signal)).toBe(signal);
  });
});

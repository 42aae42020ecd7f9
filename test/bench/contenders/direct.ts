import { startStub } from '../start-stub.ts';
import type { RunningContender } from './contender.ts';

/** No proxy at all: an upstream of its own in the contender's place. */
export async function startDirect(): Promise<RunningContender> {
  const stub = await startStub(0);
  return {
    port: stub.port,
    pid: stub.pid,
    headers: [],
    keyFile: undefined,
    [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose](),
  };
}

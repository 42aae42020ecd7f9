import { draining } from '../errors/catalogue.ts';

/** What the work answers; throws the Refusal `draining` as soon as the gateway breaks off all that is under way. */
export async function raceShutdown<T>(work: Promise<T>, cutOff: AbortSignal): Promise<T> {
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const end = () => reject(draining(1000));
  if (cutOff.aborted) end();
  else cutOff.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([cut, work]);
  } finally {
    cutOff.removeEventListener('abort', end);
  }
}

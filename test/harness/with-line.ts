import type { TestGateway } from './start-gateway.ts';
import { waitFor } from './wait-for.ts';

type Line = Readonly<Record<string, unknown>>;

const linesOf = ({ logged }: Pick<TestGateway, 'logged'>) => logged.filter(({ status }) => status);

/** What was answered, and the line that the log has of it, which is written when the answer has gone. */
export async function withLine<T>(corral: TestGateway, ask: () => Promise<T>): Promise<readonly [T, Line]> {
  const before = linesOf(corral).length;
  const answer = await ask();
  await waitFor('the line of the request', () => linesOf(corral).length > before, { every: 1 });
  return [answer, linesOf(corral).at(-1) ?? {}];
}

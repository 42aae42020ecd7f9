import type { TestGateway } from './start-gateway.ts';
import { waitFor } from './wait-for.ts';

type Line = Readonly<Record<string, unknown>>;

const linesOf = ({ logged }: Pick<TestGateway, 'logged'>) => logged.filter(({ status }) => status);

/** Returns the response and its access log line, which is written after the response. */
export async function withLine<T>(
  corral: TestGateway,
  request: () => Promise<T>,
): Promise<readonly [T, Line]> {
  const before = linesOf(corral).length;
  const response = await request();
  await waitFor('the log line of the request', () => linesOf(corral).length > before, { every: 1 });
  return [response, linesOf(corral).at(-1) ?? {}];
}

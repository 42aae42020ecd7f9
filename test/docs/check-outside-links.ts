/** Checks that every external link of the pages still works; `npm run outside-links`. */
import { linksOf } from './markdown.ts';
import { allPages } from './pages.ts';

/** Example addresses and addresses of this machine. */
const isExample = (link: string) =>
  /^https?:\/\/(?:localhost|127\.|[\w.-]*\.?example(?:\.\w+)?(?:[:/]|$))/.test(link);

const links = new Set(allPages().flatMap(({ text }) => linksOf(text)));
const outside = [...links].filter((link) => /^https?:/.test(link) && !isExample(link));
const faults = (await Promise.all(outside.map(faultOf))).filter((fault) => fault !== undefined);
console.error([...faults, `${outside.length} links, ${faults.length} broken`].join('\n'));
process.exitCode = faults.length === 0 ? 0 : 1;

/** A server that rejects programs (401, 403, 429) still has the page. */
async function faultOf(link: string): Promise<string | undefined> {
  try {
    const answer = await fetch(link, { signal: AbortSignal.timeout(30_000) });
    await answer.body?.cancel();
    return answer.ok || [401, 403, 429].includes(answer.status) ? undefined : `${link}: ${answer.status}`;
  } catch (error) {
    return `${link}: ${((error as Error).cause ?? error) as Error}`;
  }
}

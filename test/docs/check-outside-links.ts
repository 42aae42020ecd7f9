/** Asks every page of others that ours point to whether it is still there; `npm run outside-links`. */
import { linksOf } from './links.ts';
import { allPages } from './pages.ts';

/** Addresses of examples, and of what runs on one's own machine. */
const isExample = (link: string) =>
  /^https?:\/\/(?:localhost|127\.|[\w.-]*\.?example(?:\.\w+)?(?:[:/]|$))/.test(link);

const links = new Set(allPages().flatMap(({ text }) => linksOf(text)));
const outside = [...links].filter((link) => /^https?:/.test(link) && !isExample(link));
const faults = (await Promise.all(outside.map(faultOf))).filter((fault) => fault !== undefined);
console.error([...faults, `${outside.length} links, ${faults.length} of them lead nowhere`].join('\n'));
process.exitCode = faults.length === 0 ? 0 : 1;

/** Who turns programs away (403, 429) is there all the same. */
async function faultOf(link: string): Promise<string | undefined> {
  try {
    const answer = await fetch(link, { signal: AbortSignal.timeout(30_000) });
    await answer.body?.cancel();
    return answer.ok || [401, 403, 429].includes(answer.status) ? undefined : `${link}: ${answer.status}`;
  } catch (error) {
    return `${link}: ${((error as Error).cause ?? error) as Error}`;
  }
}

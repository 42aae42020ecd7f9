import { type Profiler, Session } from 'node:inspector';
import { pathToFileURL } from 'node:url';
import { projectFolder } from '../../scripts/project-folders.ts';

const ours = `${pathToFileURL(projectFolder)}/`;
const notMeant = /\/node_modules\/|\/scripts\/harness\/|\/\.cache\//;

/**
 * Which blocks of our own sources have run, as V8 itself counts them: no instrumented code, no native module. Each block
 * counts anew when it runs ten and a hundred times as often in one go, so that loops are told apart.
 */
export class Coverage implements Disposable {
  readonly #session = new Session();
  readonly #known = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many kinds of behaviour were seen in all. */
  get size(): number {
    return this.#known.size;
  }

  /** What has run since it was last asked and was never seen before; it is known from now on where `keep` is set. */
  fresh({ keep }: { readonly keep: boolean }): number {
    let found = 0;
    for (const block of this.#take()) {
      if (this.#known.has(block)) continue;
      found += 1;
      if (keep) this.#known.add(block);
    }
    return found;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  #take(): Set<string> {
    let scripts: Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      scripts = result;
    });
    const blocks = new Set<string>();
    for (const { url, scriptId, functions } of scripts) {
      if (!url.startsWith(ours) || notMeant.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0)
            blocks.add(`${scriptId}:${startOffset}:${endOffset}:${Math.floor(Math.log10(count))}`);
        }
      }
    }
    return blocks;
  }
}

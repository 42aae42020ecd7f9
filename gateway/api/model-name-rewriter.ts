import type { ResponseRewriter } from './response-format.ts';

export interface ModelRename {
  readonly from: string;
  readonly to: string;
}

/**
 * Names the adapter in a response, in which llama-server names the model. A match inside a text is impossible: its quotes are
 * escaped.
 */
export class ModelNameRewriter implements ResponseRewriter {
  readonly #inner: ResponseRewriter | undefined;
  readonly #getRename: () => ModelRename | undefined;

  /** `getRename` is called for each part of a response, because another model may answer in the end. */
  constructor(inner: ResponseRewriter | undefined, getRename: () => ModelRename | undefined) {
    this.#inner = inner;
    this.#getRename = getRename;
  }

  rewriteEvents(events: Buffer): Buffer {
    return this.#rename(this.#inner?.rewriteEvents(events) ?? events);
  }

  rewriteBody(body: Buffer): Buffer {
    return this.#rename(this.#inner?.rewriteBody(body) ?? body);
  }

  #rename(json: Buffer): Buffer {
    const rename = this.#getRename();
    if (rename === undefined) return json;
    const text = json.toString('latin1');
    const renamed = text.replaceAll(memberOf(rename.from), () => memberOf(rename.to));
    return renamed === text ? json : Buffer.from(renamed, 'latin1');
  }
}

const memberOf = (name: string) => `"model":${Buffer.from(JSON.stringify(name)).toString('latin1')}`;

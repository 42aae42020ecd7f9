import type { JsonObject } from '../../../json/json-object.ts';
import { asList, isJsonObject, mapList, parseJsonObject, withFields } from '../json.ts';
import type { NormalizationNotes } from '../normalization.ts';
import type { ResponseRewriter } from '../response-format.ts';

/** A ranking in the form that llama-server reads: it takes texts only, where Jina and Cohere take `{"text": …}` as well. */
export function normalizeRerank(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { query, documents, return_documents } = fields;
  const texts = Array.isArray(documents) ? mapList(documents, readText) : documents;
  if (return_documents === true) notes.rankedDocuments = asList(texts);
  return withFields(fields, { query: readText(query), documents: texts });
}

/** Anything else stays, for llama-server to reject. */
const readText = (value: unknown): unknown =>
  isJsonObject(value) && typeof value.text === 'string' ? value.text : value;

/** Adds the documents to the results of a ranking (`return_documents`), in the form that Jina and Cohere share. */
export class RankedDocumentsRewriter implements ResponseRewriter {
  readonly #documents: readonly unknown[];

  constructor(documents: readonly unknown[]) {
    this.#documents = documents;
  }

  /** Rankings are not streamed. */
  rewriteEvents(events: Buffer): Buffer {
    return events;
  }

  rewriteBody(body: Buffer): Buffer {
    const ranking = parseJsonObject(body.toString());
    if (!Array.isArray(ranking?.results)) return body;
    const results = ranking.results.map((result) => {
      const text = isJsonObject(result) ? this.#documents[Number(result.index)] : undefined;
      return typeof text === 'string' ? { ...result, document: { text } } : result;
    });
    return Buffer.from(JSON.stringify({ ...ranking, results }));
  }
}

import { expect, it } from 'vitest';
import { createNotes } from '../normalization.ts';
import { normalizeRerank, RankedDocumentsRewriter } from './rerank.ts';

it('documents and a query given as objects become texts', () => {
  const fields = { query: { text: 'q' }, documents: [{ text: 'a', id: 1 }, 'b'], top_n: 1 };
  const notes = createNotes();
  expect(normalizeRerank(fields, notes)).toEqual({ query: 'q', documents: ['a', 'b'], top_n: 1 });
  expect(notes.rankedDocuments).toBeUndefined();
});

it.each([
  { query: 'q', documents: ['a'] },
  { query: 'q', documents: [{ image: 'x' }, 7] },
  { query: 'q', texts: ['a'] },
])('%j stays as it is', (fields) => {
  expect(normalizeRerank(fields, createNotes())).toBe(fields);
});

it('documents that are to be returned are added to the results', () => {
  const notes = createNotes();
  normalizeRerank({ query: 'q', documents: [{ text: 'a' }, 'b'], return_documents: true }, notes);
  expect(notes.rankedDocuments).toEqual(['a', 'b']);
  const rewriter = new RankedDocumentsRewriter(notes.rankedDocuments ?? []);
  const results = [{ index: 1, relevance_score: 2 }, { index: 5 }];
  const rewritten = rewriter.rewriteBody(Buffer.from(JSON.stringify({ model: 'm', results })));
  expect(JSON.parse(rewritten.toString())).toEqual({
    model: 'm',
    results: [{ index: 1, relevance_score: 2, document: { text: 'b' } }, { index: 5 }],
  });
  for (const other of ['[]', '{"error":{}}', 'x'])
    expect(rewriter.rewriteBody(Buffer.from(other)).toString()).toBe(other);
});

/** V8's errors about JSON hold some of the text that was read, between these quotes. */
const excerpt = /(?:\.\.\.)?".*?"(?:\.\.\.)? is not valid JSON/gs;

/** An error's words or its stack, without what V8 quotes of a text that was no JSON: that may be a prompt. */
export function removeJsonExcerpts(text: string): string {
  return text.replace(excerpt, '… is not valid JSON');
}

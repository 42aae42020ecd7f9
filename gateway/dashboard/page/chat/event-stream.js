/**
 * An event of a stream: its data, or the text of a comment. The gateway sends comments while a request waits.
 * @typedef {{ data: string } | { comment: string }} StreamEvent
 */

/**
 * Reads the events of a response as they arrive (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 * `EventSource` cannot be used: it sends neither a body nor headers.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {AsyncGenerator<StreamEvent>}
 */
export async function* readEvents(body) {
  /** @type {string[]} */
  let data = [];
  for await (const line of readLines(body)) {
    if (line.startsWith(':')) yield { comment: line.slice(1).trim() };
    else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
    else if (line === '' && data.length > 0) {
      yield { data: data.join('\n') };
      data = [];
    }
  }
}

/**
 * Lines end with \n or \r\n. What follows the last end of a line was cut off, and is dropped.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 */
async function* readLines(body) {
  // A reader, as not every browser iterates streams.
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield line.replace(/\r$/, '');
  }
}

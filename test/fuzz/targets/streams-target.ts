import * as fc from 'fast-check';
import { getStreamFormatter } from '../../../gateway/api/response-format.ts';
import { ResponsesApiRewriter } from '../../../gateway/api/responses/rewriter.ts';
import type { CompletionShape } from '../../../gateway/api/route-table.ts';
import { Transcript } from '../../../gateway/resume/transcript.ts';
import { EventStreamRelay } from '../../../gateway/upstream/event-stream-relay.ts';
import { ResponseTail } from '../../../gateway/upstream/relay.ts';
import { splitEvents } from '../../../sse/sse.ts';
import { pure, type Target } from '../target.ts';
import { cut, singly } from './cut.ts';
import { engineWords } from './engine-words.ts';
import { HeardResponse } from './heard-response.ts';

const shapes = Object.keys(engineWords) as CompletionShape[];
const whole = (shape: CompletionShape, ...texts: readonly string[]) => {
  const words = engineWords[shape];
  return words.opening + texts.map((text) => words.text(text)).join('') + words.closing(texts.join(''));
};
const text = fc.oneof(
  fc.constantFrom('', 'data: [DONE]', '\n\n', '"delta":{"content":"x"}', '\\', '🐎', 'é'),
  fc.string(),
);

/** The streams of an engine. The first byte says of which kind, the next eight where the rest is cut. */
export const streamsTarget: Target = {
  name: 'streams',
  seeds: shapes.flatMap((shape, n) => [`${n}abcdefgh${whole(shape, 'one', 'two')}`]),
  words: [
    ...[
      'data: ',
      'event: ',
      '\n\n',
      'data: [DONE]\n\n',
      ':\n\n',
      ': ping\n\n',
      'data: null\n\n',
      'event: message_stop\n',
      '\r\n',
    ],
    ...[
      'data: {"error":{"code":500,"message":"m"}}\n\n',
      'error: {"code":500}\n\n',
      'event: error\n',
      '"delta":{"',
      'content":"',
    ],
    ...[
      '"type":"response.output_text.delta"',
      '"sequence_number":5',
      'event: response.completed\ndata: {"type":"response.completed"}\n\n',
    ],
  ],
  grammar: fc
    .tuple(
      fc.integer({ min: 0, max: shapes.length - 1 }),
      fc.string({ minLength: 8, maxLength: 8, unit: 'binary-ascii' }),
      fc.array(text, { maxLength: 4 }),
    )
    .map(([n, cuts, texts]) => `${n}${cuts}${whole(shapes[n] ?? 'chat', ...texts)}`),
  open: pure((input) => {
    const shape = shapes[(input[0] ?? 0) % shapes.length] ?? 'chat';
    // An engine speaks UTF-8, and ends an event with one empty line.
    const stream = Buffer.from(
      input
        .subarray(9)
        .toString()
        .replace(/\n{3,}/g, '\n\n')
        .trimStart(),
    );
    const atOnce = passed(shape, [stream]);
    for (const pieces of [cut(stream, input.subarray(1, 9)), singly(stream)]) {
      const inPieces = passed(shape, pieces);
      for (const part of ['told', 'isWhole', 'generated', 'said'] as const) {
        if (part === 'isWhole' && saysMoreThanItsEnd(stream)) continue;
        if (part === 'said' && !saysTypesFirst(stream)) continue;
        if (inPieces[part] !== atOnce[part]) throw new Error(`${part}: it depends on how a stream is cut`);
      }
    }
  }),
};

function passed(shape: CompletionShape, pieces: readonly Buffer[]) {
  const { dialect } = engineWords[shape];
  const response = new HeardResponse();
  const tail = new ResponseTail();
  const spoken = new Transcript(shape);
  const rewriter =
    dialect === 'responses'
      ? new ResponsesApiRewriter({ model: 'm', createdAt: 0, echoed: nothingRepeated }, () => 'resp_1')
      : undefined;
  const observe = (events: Buffer) => spoken.add(events);
  const relay = new EventStreamRelay({
    response: response.asResponse,
    dialect,
    formatter: rewriter ?? getStreamFormatter(dialect === 'anthropic' ? dialect : 'openai'),
    tail,
    rewriter,
    keepAlive: undefined,
    observe,
    nativeEnd: undefined,
    resumeRewriter: undefined,
  });
  for (const piece of pieces) relay.write(piece);
  const isWhole = relay.end();
  return {
    told: response.bytes.toString('latin1'),
    isWhole,
    generated: tail.generated,
    said: saidBy(spoken),
  };
}

/** Behind its end mark: an engine does not, and an end mark is looked for in the last pieces alone. */
function saysMoreThanItsEnd(stream: Buffer): boolean {
  return /(?:DONE\]|message_stop|completed|incomplete|failed|"error":|error).*\n\n./s.test(stream.toString());
}

/** As an engine does: the type of an event stands before what it tells. */
function saysTypesFirst(stream: Buffer): boolean {
  const blocks = splitEvents(stream.toString());
  return blocks.every((block) => !block.includes('"delta":"') || /"type":".*"delta":"/s.test(block));
}

/** What is no JSON cannot be said again, however it was cut. */
function saidBy(spoken: Transcript): string {
  try {
    return JSON.stringify([spoken.text, spoken.hasOtherContent]);
  } catch {
    return 'no JSON';
  }
}

const nothingRepeated = {
  ...{ instructions: null, max_output_tokens: null, metadata: {}, parallel_tool_calls: true },
  ...{ temperature: null, tool_choice: 'auto', tools: [], top_p: null },
};

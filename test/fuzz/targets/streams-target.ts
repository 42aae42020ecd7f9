import * as fc from 'fast-check';
import { getStreamFormatter } from '../../../gateway/api/response-format.ts';
import { getEchoedFields } from '../../../gateway/api/responses/echoed-fields.ts';
import { ResponsesApiRewriter } from '../../../gateway/api/responses/rewriter.ts';
import type { CompletionShape } from '../../../gateway/api/route-table.ts';
import { Transcript } from '../../../gateway/resume/transcript.ts';
import { EventStreamRelay } from '../../../gateway/upstream/event-stream-relay.ts';
import { ResponseTail } from '../../../gateway/upstream/relay.ts';
import { splitEvents } from '../../../sse/sse.ts';
import { RecordingResponse } from '../../fakes/recording-response.ts';
import { pure, type Target } from '../target.ts';
import { cut, singly } from './cut.ts';
import { engineStreams } from './engine-streams.ts';

const shapes = Object.keys(engineStreams) as CompletionShape[];
const completeStream = (shape: CompletionShape, ...texts: readonly string[]) => {
  const engine = engineStreams[shape];
  return engine.opening + texts.map((text) => engine.text(text)).join('') + engine.closing(texts.join(''));
};
const text = fc.oneof(
  fc.constantFrom('', 'data: [DONE]', '\n\n', '"delta":{"content":"x"}', '\\', '🐎', 'é'),
  fc.string(),
);

/** The streams of an engine. The first byte selects the API, the next eight where the rest is cut. */
export const streamsTarget: Target = {
  name: 'streams',
  seeds: shapes.flatMap((shape, n) => [`${n}abcdefgh${completeStream(shape, 'one', 'two')}`]),
  tokens: [
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
    .map(([n, cuts, texts]) => `${n}${cuts}${completeStream(shapes[n] ?? 'chat', ...texts)}`),
  open: pure((input) => {
    const shape = shapes[(input[0] ?? 0) % shapes.length] ?? 'chat';
    // An engine sends UTF-8, and ends an event with one empty line.
    const stream = Buffer.from(
      input
        .subarray(9)
        .toString()
        .replace(/\n{3,}/g, '\n\n')
        .trimStart(),
    );
    const inOnePiece = relay(shape, [stream]);
    for (const pieces of [cut(stream, input.subarray(1, 9)), singly(stream)]) {
      const inPieces = relay(shape, pieces);
      for (const part of ['bytes', 'isComplete', 'generated', 'text'] as const) {
        if ((part === 'isComplete' || part === 'bytes') && hasEventsAfterEnd(stream)) continue;
        if (part === 'text' && !hasTypesFirst(stream)) continue;
        if (inPieces[part] !== inOnePiece[part]) throw new Error(`${part} depends on how the stream is cut`);
      }
    }
  }),
};

function relay(shape: CompletionShape, pieces: readonly Buffer[]) {
  const { dialect } = engineStreams[shape];
  const response = new RecordingResponse();
  const tail = new ResponseTail();
  const transcript = new Transcript(shape);
  const rewriter = dialect === 'responses' ? new ResponsesApiRewriter(context, () => 'resp_1') : undefined;
  const observe = (events: Buffer) => transcript.add(events);
  const eventRelay = new EventStreamRelay({
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
  for (const piece of pieces) eventRelay.write(piece);
  const isComplete = eventRelay.end();
  return {
    // llama-server's filler events are removed at the beginning of a piece, where it sends them.
    bytes: response.bytes.toString('latin1').replaceAll('data: null\n\n', ''),
    isComplete,
    generated: tail.generated,
    text: readText(transcript),
  };
}

/** After its end marker. An engine sends none, and the end marker is searched for in the last chunks only. */
function hasEventsAfterEnd(stream: Buffer): boolean {
  return /(?:DONE\]|message_stop|completed|incomplete|failed|"error":|error).*\n\n./s.test(stream.toString());
}

/** An engine writes the type of an event before its data. */
function hasTypesFirst(stream: Buffer): boolean {
  const blocks = splitEvents(stream.toString());
  return blocks.every((block) => !block.includes('"delta":"') || /"type":".*"delta":"/s.test(block));
}

/** Invalid JSON has no text, however it was cut. */
function readText(transcript: Transcript): string {
  try {
    return JSON.stringify([transcript.text, transcript.hasOtherContent]);
  } catch {
    return 'no JSON';
  }
}

const context = { model: 'm', createdAt: 0, now: () => 0, echoed: getEchoedFields({}) };

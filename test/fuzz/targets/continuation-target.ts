import * as fc from 'fast-check';
import type { CompletionShape } from '../../../gateway/api/route-table.ts';
import { planResume } from '../../../gateway/resume/plan-resume.ts';
import { bodyWithText } from '../../../gateway/resume/resume-body.ts';
import { createResumeRewriter } from '../../../gateway/resume/resume-rewriters.ts';
import { Transcript } from '../../../gateway/resume/transcript.ts';
import { EventStreamRelay } from '../../../gateway/upstream/event-stream-relay.ts';
import { ResponseTail } from '../../../gateway/upstream/relay.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { RecordingResponse } from '../../fakes/recording-response.ts';
import { pure, type Target } from '../target.ts';
import { cut } from './cut.ts';
import { engineStreams } from './engine-streams.ts';

const shapes = Object.keys(engineStreams) as CompletionShape[];
const fields = { messages: [{ role: 'user', content: 'hi' }], input: 'hi', prompt: 'hi', stream: true };
const body = Buffer.from(JSON.stringify(fields));
const tokenShift = { input: 3, generatedBefore: 1, discarded: 0 };

/**
 * An engine that dies after any byte of its stream, and another that continues. The first byte selects the API, the next two
 * are where it dies, and the rest is the text, one token per line.
 */
export const continuationTarget: Target = {
  name: 'continuation',
  seeds: shapes.flatMap((_, n) => [
    `${n}\x01\x10say\n "hi"\n\\ and \\"\n🐎 gallops`,
    `${n}\x00\xf0one\ntwo\nthree`,
  ]),
  tokens: [
    '"',
    '\\',
    '\\u0000',
    '🐎',
    '"delta":{"content":"',
    '"text":"',
    'data: [DONE]',
    '\n',
    '\u2028',
    'é',
    '\t',
  ],
  grammar: fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.nat(600), fc.string({ unit: 'grapheme', maxLength: 60 }))
    .map(([n, at, text]) => Buffer.concat([Buffer.of(0x30 + n, at >> 8, at & 255), Buffer.from(text)])),
  mostBytes: 600,
  open: pure((input) => {
    const shape = shapes[(input[0] ?? 0) % shapes.length] ?? 'chat';
    const tokens = input
      .subarray(3)
      .toString()
      .split('\n')
      .filter((token) => token !== '');
    breakAndContinue(shape, tokens, input.length < 3 ? 0 : input.readUInt16BE(1));
  }),
};

/** Adds nothing to a stream. */
const silent = { keepAlive: () => '', error: () => '' };

function breakAndContinue(shape: CompletionShape, tokens: readonly string[], breaksAt: number): void {
  const engine = engineStreams[shape];
  const text = tokens.join('');
  const stream = Buffer.from(
    engine.opening + tokens.map((token) => engine.text(token)).join('') + engine.closing(text),
  );
  const client = new RecordingResponse();
  const transcript = new Transcript(shape);
  const relay = new EventStreamRelay({
    ...{
      response: client.asResponse,
      dialect: engine.dialect,
      formatter: silent,
      tail: new ResponseTail(),
      rewriter: undefined,
      keepAlive: undefined,
      nativeEnd: undefined,
      resumeRewriter: undefined,
    },
    observe: (events) => transcript.add(events),
  });
  const [received = Buffer.alloc(0)] = cut(stream, [breaksAt % (stream.length + 1)]);
  relay.write(received.subarray(0, breaksAt % (stream.length + 1)));
  if (relay.end()) {
    expectText(engine.textOf, client, text);
    return;
  }
  const plan = planResume({ shape, fields, sequences: 1, isPartlySent: true, transcript });
  if (plan.action === 'fail') throw new Error(`plain text cannot be continued: ${plan.reason}`);
  if (plan.action === 'close') return;
  const content = plan.action === 'continue' ? plan.text.content : '';
  if (!text.startsWith(content)) throw new Error('the transcript has a text that was never sent');
  if (plan.action === 'continue') expectPrefill(shape, content);
  const { opening, closing } = transcript;
  const finished = plan.action === 'continue' && closing !== '' ? 'complete' : 'no';
  relay.resume(
    createResumeRewriter(shape, {
      opening,
      closing,
      content,
      finished,
      closingRepeatsText: true,
      tokenShift,
    }),
  );
  const rest = text.slice(content.length);
  // An engine generates at least one token, even if the text is complete.
  relay.write(
    Buffer.from(engine.opening + engine.text(finished === 'no' ? rest : 'x') + engine.closing(text)),
  );
  if (!relay.end()) throw new Error('the continued stream is not complete');
  expectText(engine.textOf, client, text);
}

function expectText(
  textOf: (event: Readonly<Record<string, unknown>>) => string,
  client: RecordingResponse,
  text: string,
): void {
  const received = parseEvents(client.bytes.toString()).map(textOf).join('');
  if (received !== text) throw new Error('the client received another text');
}

/** The body for the next engine is JSON, and its prefill is the text so far. */
function expectPrefill(shape: CompletionShape, content: string): void {
  const sent = bodyWithText(shape, body, fields, { content, reasoning: '' });
  const { messages, input, prompt } = JSON.parse(sent.toString());
  const prefill = {
    chat: () => messages.at(-1).content,
    message: () => messages.at(-1).content,
    response: () => input.at(-1).content[0].text,
    completion: () => prompt.slice(fields.prompt.length),
  }[shape]();
  if (prefill !== content) throw new Error('the next engine gets another text');
}

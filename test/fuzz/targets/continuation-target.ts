import * as fc from 'fast-check';
import type { CompletionShape } from '../../../gateway/api/route-table.ts';
import { planResume } from '../../../gateway/resume/plan-resume.ts';
import { bodyWithText } from '../../../gateway/resume/resume-body.ts';
import { createResumeRewriter } from '../../../gateway/resume/resume-rewriters.ts';
import { Transcript } from '../../../gateway/resume/transcript.ts';
import { EventStreamRelay } from '../../../gateway/upstream/event-stream-relay.ts';
import { ResponseTail } from '../../../gateway/upstream/relay.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { pure, type Target } from '../target.ts';
import { cut } from './cut.ts';
import { engineWords } from './engine-words.ts';
import { HeardResponse } from './heard-response.ts';

const shapes = Object.keys(engineWords) as CompletionShape[];
const fields = { messages: [{ role: 'user', content: 'hi' }], input: 'hi', prompt: 'hi', stream: true };
const body = Buffer.from(JSON.stringify(fields));
const moved = { input: 3, generatedBefore: 1, discarded: 0 };

/**
 * An engine that dies after any byte of its stream, and another that goes on. The first byte says which kind of stream,
 * the next two where it dies, and the rest is the text, a token for each line.
 */
export const continuationTarget: Target = {
  name: 'continuation',
  seeds: shapes.flatMap((_, n) => [
    `${n}\x01\x10say\n "hi"\n\\ and \\"\n🐎 gallops`,
    `${n}\x00\xf0one\ntwo\nthree`,
  ]),
  words: [
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
    dieAndGoOn(shape, tokens, input.length < 3 ? 0 : input.readUInt16BE(1));
  }),
};

/** Nothing is said beside the answer here. */
const silent = { keepAlive: () => '', error: () => '' };

function dieAndGoOn(shape: CompletionShape, tokens: readonly string[], diesAt: number): void {
  const words = engineWords[shape];
  const text = tokens.join('');
  const stream = Buffer.from(
    words.opening + tokens.map((token) => words.text(token)).join('') + words.closing(text),
  );
  const client = new HeardResponse();
  const spoken = new Transcript(shape);
  const relay = new EventStreamRelay({
    ...{
      response: client.asResponse,
      dialect: words.dialect,
      formatter: silent,
      tail: new ResponseTail(),
      rewriter: undefined,
      keepAlive: undefined,
      nativeEnd: undefined,
      resumeRewriter: undefined,
    },
    observe: (events) => spoken.add(events),
  });
  const [heard = Buffer.alloc(0)] = cut(stream, [diesAt % (stream.length + 1)]);
  relay.write(heard.subarray(0, diesAt % (stream.length + 1)));
  if (relay.end()) {
    expectText(words.textOf, client, text);
    return;
  }
  const plan = planResume({ shape, fields, weight: 1, isPartlySent: true, transcript: spoken });
  if (plan.action === 'fail') throw new Error(`plain text cannot be continued: ${plan.reason}`);
  if (plan.action === 'close') return;
  const content = plan.action === 'continue' ? plan.text.content : '';
  if (!text.startsWith(content)) throw new Error('it has said what it never said');
  if (plan.action === 'continue') expectBegun(shape, content);
  const { opening, closing } = spoken;
  const over = plan.action === 'continue' && closing !== '' ? 'complete' : 'no';
  relay.resume(
    createResumeRewriter(shape, {
      opening,
      closing,
      content,
      finished: over,
      closingRepeatsText: true,
      tokenShift: moved,
    }),
  );
  const rest = text.slice(content.length);
  // An engine that has nothing more to say has to say a token all the same.
  relay.write(Buffer.from(words.opening + words.text(over === 'no' ? rest : 'x') + words.closing(text)));
  if (!relay.end()) throw new Error('it was gone on with, and yet it is not whole');
  expectText(words.textOf, client, text);
}

function expectText(
  textOf: (event: Readonly<Record<string, unknown>>) => string,
  client: HeardResponse,
  text: string,
): void {
  const heard = parseEvents(client.bytes.toString()).map(textOf).join('');
  if (heard !== text) throw new Error('the client has heard another text');
}

/** What the next engine is asked is JSON, and begins with what was said. */
function expectBegun(shape: CompletionShape, content: string): void {
  const asked = bodyWithText(shape, body, fields, { content, reasoning: '' });
  const { messages, input, prompt } = JSON.parse(asked.toString());
  const begun = {
    chat: () => messages.at(-1).content,
    message: () => messages.at(-1).content,
    response: () => input.at(-1).content[0].text,
    completion: () => prompt.slice(fields.prompt.length),
  }[shape]();
  if (begun !== content) throw new Error('the next engine is told another text');
}

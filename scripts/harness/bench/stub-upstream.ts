/**
 * A llama-server that costs next to nothing, as a program: `node stub-upstream.ts PORT`. The model's name says how it
 * answers: `TOKENS:DELAY` is so many words, so many ms apart (0: at once), as a stream where the request asks for one.
 */
import { createServer, type ServerResponse } from 'node:http';

const props = JSON.stringify({
  total_slots: 4096,
  model_alias: 'stub',
  model_path: '/models/stub.gguf',
  default_generation_settings: { n_ctx: 131_072 },
  modalities: { vision: false, audio: false },
});
const frame = { id: 'chatcmpl-stub', object: 'chat.completion.chunk', created: 1_790_000_000, model: 'stub' };
const event = (choice: object, more = {}) =>
  `data: ${JSON.stringify({ ...frame, choices: [{ index: 0, ...choice }], ...more })}\n\n`;
const role = event({ delta: { role: 'assistant', content: null }, finish_reason: null });
const word = event({ delta: { content: ' word' }, finish_reason: null });
const usageOf = (tokens: number) => ({
  usage: { prompt_tokens: 8, completion_tokens: tokens, total_tokens: tokens + 8 },
});
const endOf = (tokens: number) =>
  `${event({ delta: {}, finish_reason: 'stop' })}data: ${JSON.stringify({ ...frame, choices: [], ...usageOf(tokens) })}\n\ndata: [DONE]\n\n`;

const server = createServer((request, response) => {
  if (request.method === 'GET')
    return void response.end(request.url === '/props' ? props : '{"status":"ok"}');
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(Buffer.concat(chunks).toString('latin1'), response));
});

function answer(body: string, response: ServerResponse): void {
  const [, tokens = '1', delay = '0'] = /"model":"(\d+):(\d+)"/.exec(body) ?? [];
  if (!body.includes('"stream":true')) answerWhole(Number(tokens), response);
  else if (delay === '0') speakAtOnce(Number(tokens), response);
  else speak(Number(tokens), Number(delay), response);
}

function answerWhole(tokens: number, response: ServerResponse): void {
  const message = { role: 'assistant', content: ' word'.repeat(tokens) };
  const choices = [{ index: 0, message, finish_reason: 'stop' }];
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ ...frame, object: 'chat.completion', choices, ...usageOf(tokens) }));
}

function speakAtOnce(tokens: number, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(role);
  for (let left = tokens; left > 0; left--) response.write(word);
  response.end(endOf(tokens));
}

function speak(tokens: number, delay: number, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(role);
  let left = tokens;
  const timer = setInterval(() => {
    response.write(word);
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    response.end(endOf(tokens));
  }, delay);
  response.once('close', () => clearInterval(timer));
}

server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2]), '127.0.0.1');

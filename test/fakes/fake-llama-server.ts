#!/usr/bin/env node
/**
 * A llama-server for scenarios that a real one does not show on demand. It reads `--host` and `-m`: the model's file name is
 * the scenario.
 * slow: loads until a file `loaded` is beside the model · crash: exits during the load · hungry: lacks memory at its
 * first start · stuck: busy, but its counters do not
 * grow · jammed: `/metrics` never responds · creeping: makes slow progress · rounding: makes slow progress that its rounded
 * counters do not show · deaf: accepts connections and never responds · stubborn: ignores SIGTERM · router: has no model of its
 * own · all others: ready at once.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { basename, dirname, join } from 'node:path';

const argumentOf = (name: string) => process.argv[process.argv.indexOf(name) + 1] ?? '';
const model = argumentOf('-m');
const scenario = basename(model, '.gguf');
if (process.argv.includes('--help')) {
  console.log('--spec-type none,draft-simple,ngram-mod');
  process.exit(0);
}
const isLoaded = () => scenario !== 'slow' || existsSync(join(dirname(model), 'loaded'));
const isAllowed = (given: string | undefined) => given === `Bearer ${process.env.LLAMA_API_KEY}`;
const props =
  scenario === 'router'
    ? { role: 'router', model_alias: 'llama-server', model_path: 'none' }
    : { total_slots: 2, default_generation_settings: { n_ctx: 512 }, model_path: model };

if (scenario === 'crash') {
  console.error("0.00.011.717 E srv    load_model: failed to load model, 'crash.gguf'");
  process.exit(1);
}
if (scenario === 'slow' && process.env.LLAMA_SERVER_ROUTER_PORT) {
  const payload = { stages: ['text_model'], current: 'text_model', value: 0.42 };
  console.log(`cmd_child_to_router:state:${JSON.stringify({ state: 'loading', payload })}`);
}
const firstStart = `${model}.started`;
if (scenario === 'hungry' && !existsSync(firstStart)) {
  writeFileSync(firstStart, '');
  console.error(
    '0.00.011.717 E ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory',
  );
  process.exit(1);
}
if (scenario === 'stubborn') process.on('SIGTERM', () => console.error('0.00.011.717 W srv    not now'));

let scrapes = 0;

/** The counters of the scenario; undefined: no response. */
function metrics(): string | undefined {
  scrapes += 1;
  console.error(`0.00.001.000 I srv  fake: sending result, n = ${scrapes}`);
  const done = scenario === 'creeping' ? Math.floor(scrapes / 2) : scenario === 'rounding' ? 2e7 : 7;
  const busy = ['creeping', 'rounding', 'stuck'].includes(scenario) ? 1 : 0;
  return scenario === 'jammed'
    ? undefined
    : `llamacpp:n_decode_total ${done}\nllamacpp:requests_processing ${busy}\n`;
}

const decoded = () => (scenario === 'rounding' ? Math.floor(scrapes / 2) : 7);

const server = createServer((request, response) => {
  if (scenario === 'deaf') return;
  const respond = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
  if (!isLoaded()) respond(503, { error: { message: 'Loading model' } });
  else if (request.url === '/health') respond(200, { status: 'ok' });
  else if (!isAllowed(request.headers.authorization)) respond(401, { error: { message: 'Invalid API Key' } });
  else if (request.url === '/props') respond(200, props);
  else if (request.url === '/metrics') respondText(metrics(), response);
  else if (request.url === '/slots') respond(200, [{ id_task: 1, next_token: [{ n_decoded: decoded() }] }]);
  else respond(200, { choices: [{ text: 'Hello' }] });
});

function respondText(text: string | undefined, response: ServerResponse): void {
  if (text !== undefined) response.end(text);
}

server.listen(argumentOf('--host'), () => console.error('0.00.001.000 I srv  fake: listening'));

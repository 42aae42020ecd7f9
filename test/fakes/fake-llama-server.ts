#!/usr/bin/env node
/**
 * A llama-server for scenarios that a real one does not show on demand. It takes llama-server's arguments and heeds `--host`
 * and `-m`: the model's file name is the scenario.
 * slow: loads until a file `loaded` lies beside the model · crash: ends during the load ·
 * stuck: counts no work although it is busy · jammed: says nothing of its work · creeping: does a little at a time ·
 * rounding: does so after so much that its counters do not show it ·
 * deaf: takes connections and says nothing · stubborn: does not end by SIGTERM · router: serves no model of its own ·
 * any other: ready at once.
 */
import { existsSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { basename, dirname, join } from 'node:path';

const argumentOf = (name: string) => process.argv[process.argv.indexOf(name) + 1] ?? '';
const model = argumentOf('-m');
const scenario = basename(model, '.gguf');
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
if (scenario === 'stubborn') process.on('SIGTERM', () => console.error('0.00.011.717 W srv    not now'));

let looks = 0;

/** What its counters say, as the scenario has it; undefined is silence. */
function metrics(): string | undefined {
  looks += 1;
  console.error(`0.00.001.000 I srv  stand_in: sending result, n = ${looks}`);
  const done = scenario === 'creeping' ? Math.floor(looks / 2) : scenario === 'rounding' ? 2e7 : 7;
  const busy = ['creeping', 'rounding', 'stuck'].includes(scenario) ? 1 : 0;
  return scenario === 'jammed'
    ? undefined
    : `llamacpp:n_decode_total ${done}\nllamacpp:requests_processing ${busy}\n`;
}

const decoded = () => (scenario === 'rounding' ? Math.floor(looks / 2) : 7);

const server = createServer((request, response) => {
  if (scenario === 'deaf') return;
  const say = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
  if (!isLoaded()) say(503, { error: { message: 'Loading model' } });
  else if (request.url === '/health') say(200, { status: 'ok' });
  else if (!isAllowed(request.headers.authorization)) say(401, { error: { message: 'Invalid API Key' } });
  else if (request.url === '/props') say(200, props);
  else if (request.url === '/metrics') tell(metrics(), response);
  else if (request.url === '/slots') say(200, [{ id_task: 1, next_token: [{ n_decoded: decoded() }] }]);
  else say(200, { choices: [{ text: 'Hello' }] });
});

function tell(text: string | undefined, response: ServerResponse): void {
  if (text !== undefined) response.end(text);
}

server.listen(argumentOf('--host'), () => console.error('0.00.001.000 I srv  stand-in: listening'));

import { expect, it } from 'vitest';
import { normalizeEngineLine, parseEngineLine } from './engine-log.ts';
import { createPromptRedactor } from './redact-prompts.ts';

it.each([
  [
    "0.00.018.854 I srv    load_model: loading model 'demo.gguf'",
    "srv    load_model: loading model 'demo.gguf'",
    'debug',
  ],
  ['0.01.685.171 W srv    operator(): unauthorized', 'srv    operator(): unauthorized', 'debug'],
  [
    '0.01.685.171 W slot   operator(): id  0 | task 44 | n_past was set to 5',
    'slot   operator(): id  0 | task 44 | n_past was set to 5',
    'debug',
  ],
  [
    '0.01.685.171 W srv    load_model: the context is small',
    'srv    load_model: the context is small',
    'info',
  ],
  ['0.00.011.706 E gguf_init_from_file: failed', 'gguf_init_from_file: failed', 'warn'],
  ['error: invalid argument: --bogus', 'error: invalid argument: --bogus', 'warn'],
  ['llama_model_loader: loaded meta data', 'llama_model_loader: loaded meta data', 'debug'],
])('parses %j', (line, text, level) => {
  expect(parseEngineLine(line)).toEqual({ text, level });
});

const text = 'srv  llama_server: model loaded';

it.each([
  ['as it is', `0.00.063.627 I ${text}`, `0.00.063.627 I ${text}`],
  ['in colours', `\u001b[34m0.00.063.627\u001b[0m \u001b[32mI \u001b[0m${text}`, `0.00.063.627 I ${text}`],
  ['without a time', `E ${text}`, `0.00 E ${text}`],
  ['without a prefix', text, `0.00 I ${text}`],
  ['as JSON', `{"type":"log","time":95202,"level":"warn","msg":"${text}\\n"}`, `0.095 W ${text}`],
  ['as incomplete JSON', '{"type":"log","time":95202,"lev', '{"type":"log","time":95202,"lev'],
  [
    'as JSON of another kind',
    '{"type":"fit_memory_breakdown","data":{}}',
    '{"type":"fit_memory_breakdown","data":{}}',
  ],
  ['that is not a log line', 'CUDA error: out of memory', 'CUDA error: out of memory'],
])('a line %s is converted to the default format', (_, line, plain) => {
  expect(normalizeEngineLine(line)).toBe(plain);
});

const canary = 'my bank pin is 4711';
const quoting = `srv    operator(): got exception: {"error":{"code":500,"message":"${canary}"}}`;

it.each([
  ['in colours', `\u001b[34m0.00.063.627\u001b[0m \u001b[33mW \u001b[0m${quoting}`],
  ['without a time', `W ${quoting}`],
  ['without a prefix', quoting],
  ['as JSON', JSON.stringify({ type: 'log', time: 1, level: 'warn', msg: `${quoting}\n` })],
  ['as incomplete JSON', JSON.stringify({ type: 'log', time: 1, level: 'warn', msg: quoting }).slice(0, -4)],
])('a line %s shows no prompt', (_, line) => {
  const show = createPromptRedactor(() => true);
  expect(show(line) ?? '').not.toMatch(/bank|pin|4711/);
  if (!line.endsWith('4711"')) expect(show(line) ?? 'got exception').toContain('got exception');
});

it('a crash in JSON still shows its class', () => {
  const line = JSON.stringify({ type: 'log', time: 1, level: 'error', msg: 'CUDA error: out of memory\n' });
  expect(createPromptRedactor(() => true)(line)).toContain('CUDA error: out of memory');
});

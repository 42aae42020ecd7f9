import { expect, it } from 'vitest';
import { normalizeEngineLine } from './plain-line.ts';
import { createPromptRedactor } from './redact-prompts.ts';

const text = 'srv  llama_server: model loaded';

it.each([
  ['as it is', `0.00.063.627 I ${text}`, `0.00.063.627 I ${text}`],
  ['in colours', `\u001b[34m0.00.063.627\u001b[0m \u001b[32mI \u001b[0m${text}`, `0.00.063.627 I ${text}`],
  ['without a time', `E ${text}`, `0.00 E ${text}`],
  ['without a beginning', text, `0.00 I ${text}`],
  ['as JSON', `{"type":"log","time":95202,"level":"warn","msg":"${text}\\n"}`, `0.095 W ${text}`],
  ['as JSON that is cut', '{"type":"log","time":95202,"lev', '{"type":"log","time":95202,"lev'],
  [
    'as JSON of another kind',
    '{"type":"fit_memory_breakdown","data":{}}',
    '{"type":"fit_memory_breakdown","data":{}}',
  ],
  ['that is none of its log', 'CUDA error: out of memory', 'CUDA error: out of memory'],
])('a line %s is read', (_, line, plain) => {
  expect(normalizeEngineLine(line)).toBe(plain);
});

const canary = 'my bank pin is 4711';
const quoting = `srv    operator(): got exception: {"error":{"code":500,"message":"${canary}"}}`;

it.each([
  ['in colours', `\u001b[34m0.00.063.627\u001b[0m \u001b[33mW \u001b[0m${quoting}`],
  ['without a time', `W ${quoting}`],
  ['without a beginning', quoting],
  ['as JSON', JSON.stringify({ type: 'log', time: 1, level: 'warn', msg: `${quoting}\n` })],
  ['as JSON that is cut', JSON.stringify({ type: 'log', time: 1, level: 'warn', msg: quoting }).slice(0, -4)],
])('and quotes nobody %s', (_, line) => {
  const show = createPromptRedactor(() => true);
  expect(show(line) ?? '').not.toMatch(/bank|pin|4711/);
  if (!line.endsWith('4711"')) expect(show(line) ?? 'got exception').toContain('got exception');
});

it('of a crash in JSON still tells the class', () => {
  const line = JSON.stringify({ type: 'log', time: 1, level: 'error', msg: 'CUDA error: out of memory\n' });
  expect(createPromptRedactor(() => true)(line)).toContain('CUDA error: out of memory');
});

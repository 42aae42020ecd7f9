import { expect, it } from 'vitest';
import { parseEngineLine } from './engine-log.ts';

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
])('reads %j', (line, text, level) => {
  expect(parseEngineLine(line)).toEqual({ text, level });
});

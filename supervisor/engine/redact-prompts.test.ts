import { describe, expect, it } from 'vitest';
import { classifyCrash } from './crash-class.ts';
import { createPromptRedactor } from './redact-prompts.ts';

const canary = 'my bank pin is 4711';

/** A process that has loaded its model. */
function serving(): (line: string) => string | undefined {
  const show = createPromptRedactor(() => false);
  show('0.00.248.001 I srv  llama_server: model loaded');
  return show;
}

const head = '0.01.685.171 D srv    operator():';

describe('a line of a llama-server that serves', () => {
  it.each([
    [
      `0.01.685.171 W srv    operator(): got exception: {"error":{"code":500,"message":"Failed to parse messages: Missing 'role' in message: {\\"content\\":\\"${canary}\\"}","type":"server_error"}}`,
      '0.01.685.171 W srv    operator(): got exception: {"code":500} […]',
    ],
    [`0.01.685.171 E slot update_slots: id  0 | task 3 | got exception: ${canary}`],
    [`${head} request:  {"messages":[{"content":"${canary}"}]}`],
    [`${head} request:  ${canary}`],
    [`${head} converted request: {"messages":[]}`],
    [`${head} http: streamed chunk: data: {"text":"${canary}"}`],
    [`${head} Grammar (lazy): root ::= "${canary}"`],
    [`${head} JSON schema: {"type":"${canary}"}`],
    [`0.01.685.171 D slot launch_slot_: id  0 | task -1 | launching slot : {"prompt":"${canary}"}`],
    [
      `0.01.685.171 D slot process_toke: id  0 | task 1 | n_gen = 1, n_remaining = 9, next token:  4711 ' the'`,
    ],
    [`0.01.685.171 D slot   operator(): id  0 | task 1 | prompt token   3:   4711 ' the'`],
    [`0.01.685.171 W slot   operator(): id  0 | task 1 | old: ... ${canary} | the cache is the model`],
    [`0.01.685.171 E anthropic string not as expected: ${canary}0.01.685.172 I srv  x: y`],
    [`0.01.685.171 D Parsed message: {"content":"${canary}"}`],
    [`0.01.685.171 W srv  server_chat_: unsupported Responses tool type '${canary}' skipped`],
    [
      `0.01.685.171 E srv    send_error: task id = 5, error: Unexpected empty grammar stack after accepting piece: ${canary}`,
    ],
    [`0.01.685.171 D ${canary}`],
    [`0.01.685.171 D password: ${canary}`],
    [`parse: error parsing grammar: expecting ::= at ${canary}`],
    [`WARNING: JSON schema conversion was incomplete: pattern ${canary} is not supported`],
    [`${canary}: the prompt of the request`],
    [`  what():  Invalid diff: '${canary}' not found at start of 'x'`],
    [`#4  0x00007f12 in common_chat_parse (input="${canary}") at chat.cpp:12`],
    [`/src/ggml/src/ggml.c:12: ${canary}`],
  ])('shows no prompt: %j', (line, expected?: string) => {
    const shown = serving()(line) ?? '';
    for (const word of ['bank', 'pin', '4711']) expect(shown).not.toContain(word);
    if (expected !== undefined) expect(shown).toBe(expected);
  });

  it.each([
    '0.01.685.171 I slot print_timing: id  0 | task 0 | prompt eval time =       0.44 ms /     2 tokens (    0.22 ms per token,  4587.16 tokens per second)',
    '0.01.685.171 I slot      release: id  0 | task 0 | stop processing: n_tokens = 2, truncated = 0',
    '0.01.685.171 I slot get_availabl: id  0 | task -1 | selected slot by LCP similarity, f_sim_best = 0.167 (> 0.100 thold), f_keep = 0.500',
    '0.01.685.171 W srv    operator(): unauthorized: Invalid API Key',
    '0.01.685.171 I srv  update_slots: all slots are idle',
    '0.01.990.854 I srv    operator(): operator(): cleaning up before exit...',
    '0.01.990.854 I srv  handle_sleep: server is entering sleeping state',
    '0.01.685.171 E srv    send_error: task id = 5, error: Failed to initialize samplers: failed to parse grammar',
    '0.00.248.002 I srv  llama_server: listening on unix:///tmp/corral-u9cUJw/llama.sock',
    'CUDA error: an illegal memory access was encountered',
    '  current device: 0, in function ggml_backend_cuda_synchronize at /src/ggml-cuda.cu:3067',
    '  cudaStreamSynchronize(cuda_ctx->stream())',
    '/src/ggml/src/ggml.c:3210: GGML_ASSERT(a->ne[2] == b->ne[0]) failed',
    "terminate called after throwing an instance of 'std::bad_alloc'",
    '  what():  std::bad_alloc',
    '/usr/lib/x86_64-linux-gnu/libggml-base.so.0(ggml_print_backtrace+0x1f) [0x7f12ab]',
    'free(): invalid pointer',
    'double free or corruption (!prev)',
    '[New LWP 123]',
  ])('is shown completely if it is llama-server’s own: %j', (line) => {
    expect(serving()(line)).toBe(line);
  });

  it.each([
    [['CUDA error: out of memory'], 'out-of-vram'],
    [[`${head} ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory`], 'out-of-vram'],
    [['0.01.000 E srv  decode: the device said ErrorDeviceLost'], 'cuda-error'],
    [
      ["terminate called after throwing an instance of 'std::bad_alloc'", '  what():  std::bad_alloc'],
      'out-of-memory',
    ],
    [['/src/ggml.c:1: GGML_ASSERT(x) failed'], 'assertion'],
    [['some new words before a hipError that nobody knows'], 'cuda-error'],
  ])('still shows the class of a crash: %j', (lines, crash) => {
    const show = serving();
    const lastLines = lines.map(show).filter((line) => line !== undefined);
    const end = {
      code: null,
      signal: 'SIGABRT' as const,
      spawnError: undefined,
      commandLine: [],
      ranForMs: 1,
    };
    expect(classifyCrash({ ...end, lastLines })).toBe(crash);
  });

  it('shows no class from quoted text', () => {
    const shown = serving()(
      `0.01.685.171 W srv    operator(): got exception: {"error":"CUDA error: out of memory"}`,
    );
    expect(shown).not.toContain('CUDA');
  });
});

describe('while a model loads', () => {
  it('a failure after the creation of a slot is shown completely', () => {
    const show = createPromptRedactor(() => false);
    show('0.00.227.001 I slot   load_model: id  0 | task -1 | new slot, n_ctx = 4096');
    const failure = "0.00.248.001 E srv          init: chat template parsing error: 'x' is not defined";
    expect(show(failure)).toBe(failure);
  });

  it.each([
    "0.00.018.854 I srv    load_model: loading model '/models/demo.gguf'",
    'error: invalid argument: --bogus',
    "llama_model_load: error loading model: unknown model architecture: 'x'",
    '0.00.227.001 I slot   load_model: id  0 | task -1 | new slot, n_ctx = 4096',
  ])('%j is shown completely', (line) => {
    expect(createPromptRedactor(() => false)(line)).toBe(line);
  });

  it.each([
    [
      `a line of requests comes`,
      '0.01.000 I slot launch_slot_: id  0 | task 0 | processing task, is_child = 0',
    ],
    ['the probe finds it ready', undefined],
  ])('that ends when %s', (_, line) => {
    let serves = false;
    const show = createPromptRedactor(() => serves);
    expect(show(canary)).toBe(canary);
    if (line === undefined) serves = true;
    else show(line);
    expect(show(canary)).toBeUndefined();
  });
});

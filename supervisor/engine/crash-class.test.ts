import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChildExit } from '../process/child.ts';
import {
  type CrashCircumstances,
  classifyCrash,
  crashHint,
  decisiveLine,
  engineHints,
  isFatal,
} from './crash-class.ts';

const endOf = (how: Partial<ChildExit>): ChildExit => ({
  code: 1,
  signal: null,
  spawnError: undefined,
  lastLines: [],
  commandLine: [],
  ranForMs: 0,
  ...how,
});
const ended = (how: Partial<ChildExit>, circumstances?: CrashCircumstances) =>
  classifyCrash(endOf(how), circumstances);
const bySignal = (signal: NodeJS.Signals, ...lastLines: string[]) => ended({ code: null, signal, lastLines });

/** Last lines of GPU builds, taken from reports of users, because the tests run without a GPU. */
const gpuLines = {
  weightsDoNotFit: [
    'ggml_backend_cuda_buffer_type_alloc_buffer: allocating 144817.04 MiB on device 0: cudaMalloc failed: out of memory',
    'alloc_tensor_range: failed to allocate CUDA0 buffer of size 151851674624',
    'llama_model_load: error loading model: unable to allocate CUDA0 buffer',
    "srv    load_model: failed to load model, 'x.gguf'",
  ],
  cacheDoesNotFit: [
    'ggml_backend_cuda_buffer_type_alloc_buffer: allocating 204800.00 MiB on device 0: cudaMalloc failed: out of memory',
    'llama_kv_cache_init: failed to allocate buffer for kv cache',
  ],
  poolGrows: [
    'CUDA error: out of memory',
    '  current device: 0, in function alloc at ggml-cuda.cu:406',
    '  cuMemCreate(&handle, reserve_size, &prop, 0)',
    '[New LWP 16269]',
    '#1  0x000055f2b80f1639 in ggml_abort ()',
  ],
  vulkan: [
    'ggml_vulkan: Device memory allocation of size 369827840 failed.',
    'ggml_vulkan: vk::Device::allocateMemory: ErrorOutOfDeviceMemory',
  ],
  illegalAccess: [
    '53.26.801.941 E CUDA error: an illegal memory access was encountered',
    '53.26.801.943 E   current device: 0, in function ggml_backend_cuda_synchronize at ggml-cuda.cu:2530',
    '53.26.801.944 E   cudaStreamSynchronize(cuda_ctx->stream())',
  ],
  wrongBuild: ['CUDA error: no kernel image is available for execution on the device'],
  deviceLost: ["terminate called after throwing an instance of 'vk::DeviceLostError'"],
};

describe('an exit of llama-server is classified as', () => {
  it.each([
    ['bad-model', ["0.00.011.717 E srv    load_model: failed to load model, 'x.gguf'"]],
    ['bad-model', ["0.00.061.490 E srv    load_model: failed to load multimodal model, 'garbage.gguf'"]],
    ['bad-arguments', ['error: invalid argument: --bogus']],
    [
      'bad-arguments',
      [`error while handling argument "-fa": error: unknown value for --flash-attn: 'maybe'`],
    ],
    [
      'address-taken',
      ["0.00.015.272 E srv         start: couldn't bind HTTP server socket, hostname: 127.0.0.1"],
    ],
    ['download-failed', ['0.00.014.115 E srv  llama_server: failed to download model: Download failed']],
    ['out-of-vram', gpuLines.weightsDoNotFit],
    ['out-of-vram', gpuLines.cacheDoesNotFit],
    ['out-of-vram', gpuLines.vulkan],
    ['cuda-error', gpuLines.wrongBuild],
    [
      'out-of-memory',
      ['0.00.042.423 E llama_init_from_model: failed to initialize the context: std::bad_alloc'],
    ],
    [
      'out-of-memory',
      [
        '0.00.195.037 E ggml_aligned_malloc: insufficient memory (attempted to allocate 488.31 MB)',
        "0.00.197.867 E srv    load_model: failed to create_context with model 'x.gguf'",
      ],
    ],
    ['not-startable', ['setpriv: failed to execute /x/llama-server: No such file or directory']],
    [
      'not-startable',
      [
        'llama-server: error while loading shared libraries: libcuda.so.1: cannot open shared object file: No such file or directory',
      ],
    ],
    [
      'not-startable',
      [
        'llama_model_load_from_file_impl: no backends are loaded. hint: use ggml_backend_load() or ggml_backend_load_all()',
        "srv    load_model: failed to load model, 'x.gguf'",
      ],
    ],
    ['bad-arguments', ['error: the supplied chat template is not supported: bogus', 'note: llama.cpp was']],
    ['bad-arguments', ["error: failed to open file '/no/such/file'"]],
    ['download-failed', ["0.00.187.459 E srv    load_model: failed to load draft model, ''"]],
    ['bad-model', ["0.00.187.459 E srv    load_model: failed to load draft model, 'd.gguf'"]],
    ['unknown', ['nothing to see']],
  ])('%s by its last lines', (crash, lastLines) => {
    expect(ended({ lastLines })).toBe(crash);
  });

  it.each<[string, NodeJS.Signals, string[]]>([
    ['out-of-vram', 'SIGABRT', gpuLines.poolGrows],
    ['cuda-error', 'SIGABRT', gpuLines.illegalAccess],
    ['cuda-error', 'SIGABRT', gpuLines.deviceLost],
    ['assertion', 'SIGABRT', ['./src/llama-context.cpp:2624: GGML_ASSERT(n_outputs >= 1) failed']],
    ['assertion', 'SIGABRT', ['nothing to see']],
    ['segfault', 'SIGSEGV', ['nothing to see']],
    ['segfault', 'SIGSEGV', ["srv  load_model: failed to load model, 'an-earlier-one.gguf'"]],
    ['illegal-instruction', 'SIGILL', []],
    ['killed', 'SIGKILL', gpuLines.weightsDoNotFit],
    ['killed', 'SIGTERM', []],
  ])('%s by %s and its last lines', (crash, signal, lastLines) => {
    expect(bySignal(signal, ...lastLines)).toBe(crash);
  });

  it('out-of-memory or hung if the kernel or we have killed it', () => {
    const killed = { code: null, signal: 'SIGKILL' } as const;
    expect(ended(killed, { oomKilled: true })).toBe('out-of-memory');
    expect(ended(killed, { oomKilled: false })).toBe('killed');
    expect(ended(killed, { hung: true, oomKilled: true })).toBe('hung');
    expect(ended({ code: null, signal: 'SIGSEGV' }, { oomKilled: true })).toBe('segfault');
  });

  it('the signal of its program if it is a wrapper script', () => {
    expect([139, 137, 134, 132].map((code) => ended({ code }))).toEqual([
      'segfault',
      'killed',
      'assertion',
      'illegal-instruction',
    ]);
  });

  it('ended-without-error without an error, and not-startable without a start', () => {
    expect(ended({ code: 0 })).toBe('ended-without-error');
    expect(ended({ code: null, spawnError: new Error('ENOENT') })).toBe('not-startable');
  });

  it('fatal only if the next start would fail the same way', () => {
    expect(['bad-model', 'out-of-vram', 'killed'].map((crash) => isFatal(crash as 'killed'))).toEqual([
      true,
      false,
      false,
    ]);
  });
});

it('the decisive line is found before the stack trace that follows it', () => {
  expect(decisiveLine(endOf({ lastLines: gpuLines.poolGrows }))).toBe('CUDA error: out of memory');
  const ofNode = [
    'node:internal/modules:1',
    "Error: Cannot find module 'x'",
    '    at resolve',
    '}',
    'Node.js v24',
  ];
  expect(decisiveLine(endOf({ lastLines: ofNode }))).toBe("Error: Cannot find module 'x'");
  expect(decisiveLine(endOf({ lastLines: ['nothing to see'] }))).toBeUndefined();
});

const classes = Object.keys(engineHints) as (keyof typeof engineHints)[];
const manual = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');

describe('the hint for a crash', () => {
  it.each(classes)('is one sentence for %s, for each process, and the class is documented', (crash) => {
    for (const who of ['llama-server', 'gateway'] as const) {
      for (const model of [undefined, 'qwen']) {
        expect(crashHint({ who, crash, model })).toMatch(/^(?:[^.\n]|\.(?=\w)){20,}$/);
      }
    }
    expect(manual).toContain(`| \`${crash}\` | `);
  });

  it.each(classes)(
    'names the fields of the model instead of the variables that they replace for %s',
    (crash) => {
      const replaced = /\b(CTX|PARALLEL|NGL|HF_REPO|MODEL_\w+|MMPROJ|DRAFT_MODEL)\b/;
      const hint = crashHint({ who: 'llama-server', crash, model: 'qwen' });
      expect(hint).not.toMatch(replaced);
      if (replaced.test(engineHints[crash])) expect(hint).toContain('of "qwen" in models.json');
    },
  );
});

import { describe, expect, it } from 'vitest';
import type { ChildEnd } from './child.ts';
import { classifyCrash, isHopeless } from './crash-class.ts';

const ended = (how: Partial<ChildEnd>) =>
  classifyCrash({ code: 1, signal: null, spawnError: undefined, lastLines: [], ...how });
const saying = (...lastLines: string[]) => ended({ lastLines });

describe('the end of llama-server is', () => {
  it.each([
    ['bad-model', ["0.00.011.717 E srv    load_model: failed to load model, 'x.gguf'"]],
    ['bad-arguments', ['error: invalid argument: --bogus']],
    ['address-taken', ['0.00.015.222 E srv  llama_server: exiting due to HTTP server error']],
    [
      'out-of-vram',
      [
        'ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9000.00 MiB on device 0: cudaMalloc failed: out of memory',
        'llama_model_load: error loading model: unable to allocate CUDA0 buffer',
      ],
    ],
    ['cuda-error', ['CUDA error: an illegal memory access was encountered']],
    ['out-of-memory', ["terminate called after throwing an instance of 'std::bad_alloc'"]],
    ['assertion', ['ggml.c:1: GGML_ASSERT(x) failed']],
    ['not-startable', ['setpriv: failed to execute /x/llama-server: No such file or directory']],
    ['unknown', ['nothing to see']],
  ])('%s by its last words', (crash, lines) => {
    expect(saying(...lines)).toBe(crash);
  });

  it('killed, an assertion or without error by the way it went', () => {
    expect(ended({ code: null, signal: 'SIGKILL' })).toBe('killed');
    expect(ended({ code: null, signal: 'SIGABRT' })).toBe('assertion');
    expect(ended({ code: 0 })).toBe('ended-without-error');
    expect(ended({ code: null, spawnError: new Error('ENOENT') })).toBe('not-startable');
  });

  it('hopeless only where the next start must end the same way', () => {
    expect(['bad-model', 'out-of-vram', 'killed'].map((crash) => isHopeless(crash as 'killed'))).toEqual([
      true,
      false,
      false,
    ]);
  });
});

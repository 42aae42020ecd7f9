import { describe, expect, it } from 'vitest';
import { engineEnvironment, visibleDevices } from './spawn-engine.ts';

const outside = {
  PATH: '/bin',
  CUDA_VISIBLE_DEVICES: '0',
  NVIDIA_VISIBLE_DEVICES: 'all',
  https_proxy: 'http://proxy',
  LLAMA_ARG_HOST: '0.0.0.0',
  AIP_MODE: 'PREDICTION',
  HF_TOKEN: 'hf_ours',
  RUNPOD_API_KEY: 'rp',
  LLAMA_API_KEY: 'stale',
};

describe('the environment of llama-server', () => {
  it('contains what it needs and nothing that would reconfigure it', () => {
    expect(engineEnvironment(outside, { apiKey: 'fresh', hfToken: undefined })).toEqual({
      PATH: '/bin',
      CUDA_VISIBLE_DEVICES: '0',
      NVIDIA_VISIBLE_DEVICES: 'all',
      https_proxy: 'http://proxy',
      LLAMA_API_KEY: 'fresh',
    });
  });

  it('contains the Hugging Face token only for a download', () => {
    expect(engineEnvironment(outside, { apiKey: 'k', hfToken: 'hf_ours' })).toMatchObject({
      HF_TOKEN: 'hf_ours',
    });
  });
});

it('the devices of an engine are counted among those that we may use', () => {
  expect(visibleDevices([0, 3], undefined)).toBe('0,3');
  expect(visibleDevices([1], '4, GPU-8932f937')).toBe('GPU-8932f937');
});

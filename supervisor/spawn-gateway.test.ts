import { describe, expect, it } from 'vitest';
import { readSettings } from '../settings/read-settings.ts';
import { gatewayEnvironment } from './spawn-gateway.ts';

describe('the environment of the gateway', () => {
  it('has exactly the settings that were decided', () => {
    const env = {
      PATH: '/bin',
      PORT: '9000',
      CORS_ORIGINS: 'https://a.example, https://b.example',
      QUEUE_TIMEOUT: '1500ms',
      API_KEYS: 'app:sk-app-secret',
      BACKEND_API_KEY_FILE: '/gone',
      HF_TOKEN: 'hf_ours',
      RUNPOD_AI_API_KEY: 'of-the-queue',
    };
    const decided = {
      ...readSettings(env).settings,
      HOST: '0.0.0.0',
      BACKEND_API_KEY: 'k',
      MODEL_ALIAS: ['m'],
    };
    const given = gatewayEnvironment(env, decided);
    expect(readSettings(given).problems).toEqual([]);
    expect(readSettings(given).settings).toEqual({
      ...decided,
      HF_TOKEN: undefined,
      RUNPOD_AI_API_KEY: undefined,
    });
    expect(given).toMatchObject({ PATH: '/bin', HOST: '0.0.0.0' });
    expect(given).not.toHaveProperty('BACKEND_API_KEY_FILE');
    expect(given).not.toHaveProperty('HF_TOKEN');
    expect(given).not.toHaveProperty('RUNPOD_AI_API_KEY');
  });
});

import { describe, expect, it } from 'vitest';
import { parseRegistry } from '../../models/parse-registry.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { configure } from '../../supervisor/config.ts';
import { welcomeText } from './welcome.ts';

function welcome(models: readonly object[] | undefined, env: Record<string, string> = {}): string {
  const paths = { MODEL_PATH: '/m/demo.gguf', DATA_DIR: '/nowhere' };
  const { settings } = readSettings({ ...paths, HOST: '127.0.0.1', ...env });
  const { config } = configure(settings, {});
  if (!config) throw new Error('no configuration');
  const registry = models && parseRegistry(JSON.stringify({ version: 1, models }), '/m');
  const several = registry && { file: '/m/models.json', registry };
  return welcomeText({ config: { ...config, models: several }, firstKey: undefined, isDemoModel: false });
}

const vectors = { id: 'vectors', path: '/m/v.gguf', kind: 'embeddings', pin: true };
const first = { id: 'first', path: '/m/f.gguf' };
const pinned = { id: 'pinned', path: '/m/p.gguf', pin: true };

describe('the welcome', () => {
  it('names the only model', () => {
    expect(welcome(undefined)).toContain('API for the model "demo".');
    expect(welcome([first])).toContain('API for the model "first".');
  });

  it('names all models, and its examples chat with a pinned one', () => {
    const text = welcome([vectors, first, pinned]);
    expect(text).toContain('API for 3 models: vectors, first, pinned.');
    expect(text).toContain('"model":"pinned"');
    expect(welcome([vectors, first])).toContain('"model":"first"');
  });

  it('names the pages, and how to get a key for the dashboard', () => {
    const text = welcome(undefined);
    expect(text).toMatch(/chat +http:\/\/127\.0\.0\.1:8000\/chat\n/);
    expect(text).toMatch(/dashboard +http:\/\/127\.0\.0\.1:8000\/dashboard .*keys create me --scopes admin/);
    expect(text).toMatch(/API reference +http:\/\/127\.0\.0\.1:8000\/docs\n/);
    expect(welcome(undefined, { UI: 'false' })).not.toContain('/chat\n');
    expect(welcome(undefined, { AUTH_ENABLED: 'false' })).toContain('/dashboard\n');
  });
});

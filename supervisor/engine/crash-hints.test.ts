import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crashHint, engineHints } from './crash-hints.ts';

const classes = Object.keys(engineHints) as (keyof typeof engineHints)[];
const manual = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');

describe('a cure', () => {
  it.each(classes)('is one sentence for %s, whoever ended, and stands in the manual', (crash) => {
    for (const who of ['llama-server', 'gateway'] as const) {
      expect(crashHint(who, crash)).toMatch(/^(?:[^.\n]|\.(?=\w)){20,}$/);
    }
    expect(manual).toContain(`| \`${crash}\` | `);
  });
});

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';

/** No GPU, no sandbox (containers have no right to one), and nobody outside is asked anything. */
const calm = [
  ...['--headless', '--no-sandbox', '--no-zygote', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

export interface TestBrowser extends AsyncDisposable {
  readonly browser: Browser;
}

/** A real Chromium, started as `peerForTests(chromium)` says. */
export async function startBrowser({ command, args }: ProgramCommand): Promise<TestBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-browser-'));
  // Playwright starts one program, and Chromium starts itself again for each of its processes: both by this name.
  const program = join(folder, 'chromium');
  const words = [command, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  await writeFile(program, `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(program, 0o755);
  await writeFile(join(folder, 'fonts.conf'), fontsBeside(args.at(-1) ?? command));
  const itself = args.length > 0 ? [`--browser-subprocess-path=${program}`] : [];
  const browser = await chromium.launch({
    executablePath: program,
    timeout: 120_000,
    args: [...calm, ...itself],
    env: { ...process.env, FONTCONFIG_FILE: join(folder, 'fonts.conf') },
  });
  return {
    browser,
    async [Symbol.asyncDispose]() {
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The machine's fonts, and those that came with the program: a bare machine has none, and no page can do without. */
const fontsBeside = (program: string) => `<?xml version="1.0"?>
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>${resolve(program, '../../../share/fonts')}</dir>
</fontconfig>
`;

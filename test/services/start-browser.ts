import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { removeFolder } from '../harness/temporary-folder.ts';

/** No GPU, no sandbox (containers may not use it), and no requests to other servers. */
const chromiumArguments = [
  ...['--headless', '--no-sandbox', '--no-zygote', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

export interface TestBrowser extends AsyncDisposable {
  readonly browser: Browser;
}

/** Starts a real Chromium. */
export async function startBrowser({ command, args }: ProgramCommand): Promise<TestBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-browser-'));
  // Playwright needs a single executable, and Chromium starts itself again for each of its processes.
  const program = join(folder, 'chromium');
  const commandLine = [command, ...args].map((part) => `'${part.replaceAll("'", `'\\''`)}'`).join(' ');
  await writeFile(program, `#!/bin/sh\nexec ${commandLine} "$@"\n`);
  await chmod(program, 0o755);
  await writeFile(join(folder, 'fonts.conf'), fontsConfiguration(args.at(-1) ?? command));
  const subprocess = args.length > 0 ? [`--browser-subprocess-path=${program}`] : [];
  const browser = await chromium.launch({
    executablePath: program,
    timeout: 120_000,
    args: [...chromiumArguments, ...subprocess],
    env: { ...process.env, FONTCONFIG_FILE: join(folder, 'fonts.conf') },
  });
  return {
    browser,
    async [Symbol.asyncDispose]() {
      await browser.close();
      await removeFolder(folder);
    },
  };
}

/** The machine's fonts and those of the package, because a minimal machine has none and pages need one. */
const fontsConfiguration = (program: string) => `<?xml version="1.0"?>
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>${resolve(program, '../../../share/fonts')}</dir>
</fontconfig>
`;

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { debianArchives, parseDeb822, parseOneLineSources } from './debian-sources.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

describe('parseDeb822', () => {
  it('parses a stanza with a comment and a continued field', () => {
    const text = [
      'Types: deb deb-src',
      '# http://snapshot.invalid/archive',
      'URIs: http://mirror.invalid/debian',
      'Suites: bookworm',
      '  bookworm-updates',
      'Components: main contrib',
      `Signed-By: ${keyring}`,
    ].join('\n');
    expect(parseDeb822(text)).toEqual([
      {
        uri: 'http://mirror.invalid/debian',
        suites: ['bookworm', 'bookworm-updates'],
        components: ['main', 'contrib'],
        signedBy: keyring,
      },
    ]);
  });

  it('skips disabled sources and those of source code', () => {
    const text = 'Types: deb-src\nURIs: http://a\n\nTypes: deb\nEnabled: no\nURIs: http://b\nSuites: sid\n';
    expect(parseDeb822(text)).toEqual([]);
  });
});

describe('parseOneLineSources', () => {
  it('parses lines with and without options and skips comments', () => {
    const text = [
      '# deb http://old.invalid/debian sid main',
      `deb [arch=amd64 signed-by=${keyring}] https://a.invalid/debian trixie main non-free # ours`,
      'deb-src https://a.invalid/debian trixie main',
      'deb http://b.invalid/debian stable main',
    ].join('\n');
    expect(parseOneLineSources(text)).toEqual([
      {
        uri: 'https://a.invalid/debian',
        suites: ['trixie'],
        components: ['main', 'non-free'],
        signedBy: keyring,
      },
      { uri: 'http://b.invalid/debian', suites: ['stable'], components: ['main'], signedBy: undefined },
    ]);
  });
});

describe('debianArchives', () => {
  let etc: string;
  beforeEach(async () => {
    etc = await mkdtemp(join(tmpdir(), 'corral-apt-'));
    await mkdir(join(etc, 'sources.list.d'));
  });
  afterEach(() => rm(etc, { recursive: true }));

  it('finds the main archive among security updates and third-party archives', async () => {
    await writeFile(join(etc, 'sources.list'), 'deb http://tools.invalid/apt bookworm main\n');
    await writeFile(
      join(etc, 'sources.list.d', 'debian.sources'),
      [
        `Types: deb\nURIs: http://m.invalid/debian-security\nSuites: bookworm-security\nComponents: main\nSigned-By: ${keyring}`,
        `Types: deb\nURIs: http://m.invalid/mirror\nSuites: bookworm\nComponents: main\nSigned-By: ${keyring}`,
      ].join('\n\n'),
    );
    await writeFile(
      join(etc, 'sources.list.d', 'cloud.list'),
      'deb https://cloud.invalid/apt sdk-bookworm main\n',
    );
    expect(await debianArchives(etc)).toEqual(['http://m.invalid/mirror', 'http://tools.invalid/apt']);
  });

  it('returns nothing on a machine without apt', async () => {
    expect(await debianArchives(join(etc, 'nowhere'))).toEqual([]);
  });
});

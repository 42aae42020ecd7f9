import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { projectFolder } from '../project-folders.ts';
import { changesByArea, cutRelease, releaseNotes, sectionOf } from './changelog.ts';

const changelog = `# Changelog

## [Unreleased]

### Added

- Something new.

## [0.1.10] - 2026-01-02

- Ten.

## [0.1.1] - 2026-01-01

- One.
`;

describe('the section of a version', () => {
  it.each([
    ['Unreleased', '### Added\n\n- Something new.'],
    ['0.1.10', '- Ten.'],
    ['0.1.1', '- One.'],
    ['0.1', undefined],
    ['0.2.0', undefined],
  ])('%s', (version, section) => {
    expect(sectionOf(changelog, version)).toBe(section);
  });

  it('exists in our own changelog for the current or the unreleased version', () => {
    const ours = readFileSync(join(projectFolder, 'CHANGELOG.md'), 'utf8');
    expect(sectionOf(ours, 'Unreleased') ?? sectionOf(ours, packageFile.version)).toMatch(/^### /);
  });
});

describe('a release', () => {
  it('contains what was unreleased, and starts a new unreleased section', () => {
    const cut = cutRelease(changelog, '0.2.0', '2026-02-03') ?? '';
    expect(sectionOf(cut, '0.2.0')).toBe('### Added\n\n- Something new.');
    expect(cut).toContain('## [Unreleased]\n\n## [0.2.0] - 2026-02-03\n');
    expect(cutRelease(cut, '0.3.0', '2026-02-04')).toBeUndefined();
  });

  it('has the text of its section, and every commit by area', () => {
    const subjects = ['gateway: b', 'docs: c', 'Merge of something', 'gateway: a: with a colon'];
    expect(changesByArea(subjects)).toBe(
      '**docs**\n- c\n\n**gateway**\n- b\n- a: with a colon\n\n**other**\n- Merge of something',
    );
    const notes = releaseNotes({ changelog, version: '0.1.10', subjects });
    expect(notes).toMatch(/^- Ten\.\n\n<details>[\s\S]*\*\*gateway\*\*[\s\S]*<\/details>\n$/);
    expect(releaseNotes({ changelog, version: '9.9.9', subjects })).toBeUndefined();
  });
});

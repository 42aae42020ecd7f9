/**
 * Sets the version in package.json, package-lock.json and CHANGELOG.md; `npm run release -- 1.2.3`. See
 * docs/release.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { projectFolder } from '../project-folders.ts';
import { cutRelease } from './changelog.ts';

const [version = ''] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+$/.test(version)) fail(2, 'usage: npm run release -- 1.2.3');

const file = join(projectFolder, 'CHANGELOG.md');
const cut = cutRelease(readFileSync(file, 'utf8'), version, new Date().toISOString().slice(0, 10));
if (cut === undefined) fail(1, 'CHANGELOG.md has nothing under [Unreleased]: add the changes there');
await execa('npm', ['version', version, '--no-git-tag-version'], { cwd: projectFolder });
writeFileSync(file, cut);
console.error(
  `package.json, package-lock.json and CHANGELOG.md now have version ${version}. Next: npm run docs, npm test, commit, tag v${version}`,
);

function fail(code: number, message: string): never {
  console.error(message);
  process.exit(code);
}

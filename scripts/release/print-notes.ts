/**
 * Prints the release notes of a tag, and fails if the tag does not match the repository; `npm run release-notes --
 * v1.2.3`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import packageFile from '../../package.json' with { type: 'json' };
import { projectFolder } from '../project-folders.ts';
import { releaseNotes } from './changelog.ts';

const [tag = ''] = process.argv.slice(2);
const { version } = packageFile;
if (tag !== `v${version}`)
  fail(`the tag is '${tag}', but package.json has version ${version}: use v${version}`);

const changelog = readFileSync(join(projectFolder, 'CHANGELOG.md'), 'utf8');
const notes = releaseNotes({ changelog, version, subjects: await subjectsOf(tag) });
if (notes === undefined)
  fail(`CHANGELOG.md has nothing under [${version}]: run npm run release -- ${version}`);
console.log(notes);

/** Commits since the previous tag; all commits for the first release. */
async function subjectsOf(tag: string): Promise<string[]> {
  const git = async (...args: string[]) => (await execa('git', args, { cwd: projectFolder })).stdout;
  const before = await git('describe', '--tags', '--abbrev=0', '--match=v*', `${tag}^`).catch(
    () => undefined,
  );
  if (!(await git('tag', '--list', tag))) fail(`tag ${tag} not found: git fetch --tags`);
  const range = before === undefined ? tag : `${before}..${tag}`;
  return (await git('log', '--no-merges', '--format=%s', range)).split('\n');
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

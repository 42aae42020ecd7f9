/** Creates release notes from CHANGELOG.md (Keep a Changelog) and the subjects of commits (`area: what changed`). */

const heading = (version: string) => new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\].*$`, 'm');
const nextHeading = /^## \[/m;

/** The section of a version; undefined if the changelog has none. */
export function sectionOf(changelog: string, version: string): string | undefined {
  const found = heading(version).exec(changelog);
  if (!found) return undefined;
  const rest = changelog.slice(found.index + found[0].length);
  const end = rest.search(nextHeading);
  const section = (end === -1 ? rest : rest.slice(0, end)).trim();
  return section === '' ? undefined : section;
}

/** Moves the unreleased section under a version and its date. Undefined if there is nothing unreleased. */
export function cutRelease(changelog: string, version: string, day: string): string | undefined {
  if (sectionOf(changelog, 'Unreleased') === undefined) return undefined;
  return changelog.replace(heading('Unreleased'), `## [Unreleased]\n\n## [${version}] - ${day}`);
}

/** Commits grouped by area, in alphabetical order. */
export function changesByArea(subjects: readonly string[]): string {
  const changes = subjects.map(
    (subject) => /^([\w ,&'./-]{1,40}): (.+)$/.exec(subject) ?? ['', 'other', subject],
  );
  const areas = [...Map.groupBy(changes, ([, area = 'other']) => area)];
  return areas
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([area, those]) => [`**${area}**`, ...those.map(([, , change]) => `- ${change}`)].join('\n'))
    .join('\n\n');
}

interface Release {
  readonly changelog: string;
  readonly version: string;
  /** Subjects of the commits since the last release, the newest first. */
  readonly subjects: readonly string[];
}

/** The text of a release page; undefined if the changelog has no such version. */
export function releaseNotes({ changelog, version, subjects }: Release): string | undefined {
  const section = sectionOf(changelog, version);
  if (section === undefined) return undefined;
  const all = `<details>\n<summary>Every commit</summary>\n\n${changesByArea(subjects)}\n\n</details>`;
  return `${section}\n\n${all}\n`;
}

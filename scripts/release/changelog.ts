/** Turns CHANGELOG.md (Keep a Changelog) and the subjects of commits (`room: what changed`) into what a release says. */

const heading = (version: string) => new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\].*$`, 'm');
const nextHeading = /^## \[/m;

/** What stands under a version; undefined where the changelog has nothing for it. */
export function sectionOf(changelog: string, version: string): string | undefined {
  const found = heading(version).exec(changelog);
  if (!found) return undefined;
  const rest = changelog.slice(found.index + found[0].length);
  const end = rest.search(nextHeading);
  const section = (end === -1 ? rest : rest.slice(0, end)).trim();
  return section === '' ? undefined : section;
}

/** The changelog with what was unreleased under a version and its day. Undefined where nothing waits to be released. */
export function cutRelease(changelog: string, version: string, day: string): string | undefined {
  if (sectionOf(changelog, 'Unreleased') === undefined) return undefined;
  return changelog.replace(heading('Unreleased'), `## [Unreleased]\n\n## [${version}] - ${day}`);
}

/** Commits by the room that they name, the rooms in the order of the alphabet. */
export function changesByArea(subjects: readonly string[]): string {
  const changes = subjects.map(
    (subject) => /^([\w ,&'./-]{1,40}): (.+)$/.exec(subject) ?? ['', 'other', subject],
  );
  const rooms = [...Map.groupBy(changes, ([, room = 'other']) => room)];
  return rooms
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([room, those]) => [`**${room}**`, ...those.map(([, , change]) => `- ${change}`)].join('\n'))
    .join('\n\n');
}

interface Release {
  readonly changelog: string;
  readonly version: string;
  /** Of the commits since the release before, the newest first. */
  readonly subjects: readonly string[];
}

/** What the page of a release says; undefined where the changelog does not know it. */
export function releaseNotes({ changelog, version, subjects }: Release): string | undefined {
  const section = sectionOf(changelog, version);
  if (section === undefined) return undefined;
  const all = `<details>\n<summary>Every commit</summary>\n\n${changesByArea(subjects)}\n\n</details>`;
  return `${section}\n\n${all}\n`;
}

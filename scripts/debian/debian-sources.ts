import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An entry of apt's configuration on this machine. */
interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly signedBy: string | undefined;
}

const debianSuites =
  /^(bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)(-updates|-backports)?$/;

/**
 * The URLs of Debian's main archive in the configuration of this machine, the most likely first. `etc` is `/etc/apt`.
 */
export async function debianArchives(etc: string): Promise<string[]> {
  const sources = (await readSources(etc)).filter(isDebianMain);
  const [likely, others] = [sources.filter(looksLikeDebian), sources.filter((it) => !looksLikeDebian(it))];
  return [...new Set([...likely, ...others].map(({ uri }) => uri))];
}

function isDebianMain({ uri, suites, components }: AptSource): boolean {
  return (
    !uri.startsWith('cdrom:') &&
    components.includes('main') &&
    suites.some((suite) => debianSuites.test(suite))
  );
}

function looksLikeDebian({ uri, signedBy }: AptSource): boolean {
  return /debian-archive/.test(signedBy ?? '') || /\/debian(\.list)?\/?$/.test(uri);
}

async function readSources(etc: string): Promise<AptSource[]> {
  const parts = join(etc, 'sources.list.d');
  const names = await readdir(parts).catch(() => []);
  const files = [join(etc, 'sources.list'), ...names.sort().map((name) => join(parts, name))];
  const found = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(file, 'utf8').catch(() => '');
      if (file.endsWith('.sources')) return parseDeb822(text);
      return file.endsWith('.list') ? parseOneLineSources(text) : [];
    }),
  );
  return found.flat();
}

/** The one-line form: `deb [signed-by=…] URI suite component…`. */
export function parseOneLineSources(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (!match) return [];
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /signed-by=(\S+)/i.exec(options)?.[1];
    return [{ uri, suites: [suite], components: splitOnSpaces(components), signedBy }];
  });
}

/** The format of `.sources` files: stanzas of fields, separated by blank lines. */
export function parseDeb822(text: string): AptSource[] {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((stanza) => sourcesOfStanza(fieldsOf(stanza)));
}

function sourcesOfStanza(fields: ReadonlyMap<string, string>): AptSource[] {
  const field = (name: string) => fields.get(name) ?? '';
  if (!splitOnSpaces(field('types')).includes('deb') || /^(no|false|0)$/i.test(field('enabled'))) return [];
  return splitOnSpaces(field('uris')).map((uri) => ({
    uri,
    suites: splitOnSpaces(field('suites')),
    components: splitOnSpaces(field('components')),
    signedBy: fields.get('signed-by'),
  }));
}

function fieldsOf(stanza: string): Map<string, string> {
  const joined = stanza.replaceAll(/\n[ \t]+/g, ' ');
  const fields = joined.split('\n').map((line) => /^([^:\s]+):\s*(.*)$/.exec(line));
  return new Map(
    fields.flatMap((match) => (match ? [[match[1]?.toLowerCase() ?? '', match[2]?.trim() ?? '']] : [])),
  );
}

function splitOnSpaces(text: string): string[] {
  return text.split(/\s+/).filter((part) => part !== '');
}

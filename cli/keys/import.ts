import { Command } from 'commander';
import { takeSnapshot } from '../../fs/watched-file.ts';
import { updateKeyFile } from '../../keys/key-file.ts';
import { type ImportResult, importKeys, parseLegacyLines } from '../../keys/legacy-lines.ts';
import { isKeysJson } from '../../keys/parse-keys.ts';
import { jsonOption } from '../options.ts';
import { writeJson, writeStderr, writeStdout } from '../output.ts';
import { UsageError } from '../run-command.ts';
import { fileOption, resolveKeyFile } from './options.ts';

const examples = `
Examples:
  corral keys import /data/api_keys.txt                      into keys.json in DATA_DIR
  corral keys import api_keys.txt --file /srv/keys.json

Reads lines of the form key_id:api_key[:rate_limit][:expiration] and reports the result for each. Clients keep their
secrets; only the SHA-256 is stored. Existing keys are not changed, so the command can be repeated. All valid lines are
imported, even if others are not. Exit status: 1 if a line was skipped.`;

export function importCommand(): Command {
  return new Command('import')
    .description('import the keys of llama-gguf-inference')
    .argument('<file>', 'the api_keys.txt to import')
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(importFile);
}

async function importFile(
  source: string,
  options: { readonly file?: string; readonly json?: true },
): Promise<void> {
  const text = await readSource(source);
  if (isKeysJson(text))
    throw new UsageError(`${source} is already a key file of llama-corral: set AUTH_KEYS_FILE to it`);
  const readings = parseLegacyLines(text);
  // The default target is keys.json, even if only api_keys.txt exists.
  const target = resolveKeyFile(options.file, (path) => path.endsWith('.json'));
  let results: readonly ImportResult[] = [];
  const { warnings } = await updateKeyFile(target, (there) => {
    const outcome = importKeys(there, readings);
    results = outcome.results;
    return outcome.keys;
  });
  for (const warning of warnings) writeStderr(warning);
  if (options.json) writeJson(results);
  else for (const result of results) writeStdout(formatResult(result));
  summarize(results, source, target);
}

async function readSource(source: string): Promise<string> {
  const snapshot = await takeSnapshot(source).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${source} cannot be read: ${error.code ?? `it ${error.message}`}`, {
      cause: error,
    });
  });
  if (snapshot === undefined) throw new UsageError(`${source} does not exist`);
  return snapshot.text;
}

function formatResult({ line, id, outcome, reason }: ImportResult): string {
  return `line ${line}: ${id === undefined ? '' : `"${id}" `}${outcome}${reason === undefined ? '' : `: ${reason}`}`;
}

function summarize(results: readonly ImportResult[], source: string, target: string): void {
  const count = (outcome: ImportResult['outcome']) =>
    results.filter((result) => result.outcome === outcome).length;
  writeStderr(
    `${count('imported')} imported into ${target}, ${count('unchanged')} unchanged, ${count('skipped')} skipped.`,
  );
  if (count('skipped') > 0) throw new Error(`fix the skipped lines of ${source} and import it again`);
  writeStderr(`${source} contains secrets in plain text: delete it once the gateway uses ${target}.`);
}

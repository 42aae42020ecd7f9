import { LiveFile } from '../../fs/live-file.ts';
import { ClaimsFileError, parseClaimsFile } from '../../keys/claims-file.ts';
import type { ClaimsRule } from '../../keys/claims-rules.ts';
import type { Log } from '../../log/create-log.ts';

export interface LiveRules extends Disposable {
  readonly rules: readonly ClaimsRule[];
  /** Why the current file is not in use; undefined if it is. */
  readonly problem: string | undefined;
}

/** The rules of `OIDC_CLAIMS_FILE`: a change applies within a second, and a file with mistakes changes nothing. */
export function watchClaimsRules(file: string, log: Log, onChange: () => void): LiveRules {
  const live = new LiveFile<readonly ClaimsRule[]>({
    file,
    subject: 'claims rules',
    initial: [],
    parse(snapshot, before) {
      if (snapshot === undefined) throw new ClaimsFileError('is missing');
      const rules = parseClaimsFile(snapshot.text);
      return JSON.stringify(rules, withMaps) === JSON.stringify(before, withMaps) ? before : rules;
    },
    isSame: (rules, before) => rules === before,
    onChange(rules) {
      log.info({ rules: rules.length }, 'OIDC: claims rules reloaded');
      onChange();
    },
    onError: (problem) => log.error(`${problem}; the claims rules loaded before remain in use`),
    onRecovered: (message) => log.info(message),
  });
  if (live.problem !== undefined) log.error(`${live.problem}; no token gives any rights until it is fixed`);
  return {
    get rules() {
      return live.value;
    },
    get problem() {
      return live.problem;
    },
    [Symbol.dispose]: () => live.close(),
  };
}

const withMaps = (_: string, value: unknown) => (value instanceof Map ? [...value] : value);

import type { Target } from './target.ts';
import { bodyTarget } from './targets/body-target.ts';
import { continuationTarget } from './targets/continuation-target.ts';
import { engineTarget } from './targets/engine-target.ts';
import { ggufTarget } from './targets/gguf-target.ts';
import { httpTarget } from './targets/http-target.ts';
import { keysTarget } from './targets/keys-target.ts';
import { nvidiaTarget } from './targets/nvidia-target.ts';
import { settingsTarget } from './targets/settings-target.ts';
import { streamsTarget } from './targets/streams-target.ts';

/** All parsers of untrusted input in this repository. */
export const targets: readonly Target[] = [
  ...[httpTarget, bodyTarget, streamsTarget, continuationTarget],
  ...[keysTarget, settingsTarget, nvidiaTarget, ggufTarget],
];

/** Also fuzzed, but not our code: the tests replay none of its inputs. */
export const foreignTargets: readonly Target[] = [engineTarget];

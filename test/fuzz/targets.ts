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

/** Everything of ours that reads what others have written. */
export const targets: readonly Target[] = [
  ...[httpTarget, bodyTarget, streamsTarget, continuationTarget],
  ...[keysTarget, settingsTarget, nvidiaTarget, ggufTarget],
];

/** What is searched as well, and is no code of ours: the tests replay nothing of it. */
export const foreignTargets: readonly Target[] = [engineTarget];

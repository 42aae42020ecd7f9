import type { Target } from './target.ts';
import { bodyTarget } from './targets/body-target.ts';
import { continuationTarget } from './targets/continuation-target.ts';
import { ggufTarget } from './targets/gguf-target.ts';
import { httpTarget } from './targets/http-target.ts';
import { keysTarget } from './targets/keys-target.ts';
import { nvidiaTarget } from './targets/nvidia-target.ts';
import { settingsTarget } from './targets/settings-target.ts';
import { streamsTarget } from './targets/streams-target.ts';

/** Everything that reads what others have written. */
export const targets: readonly Target[] = [
  ...[httpTarget, bodyTarget, streamsTarget, continuationTarget],
  ...[keysTarget, settingsTarget, nvidiaTarget, ggufTarget],
];

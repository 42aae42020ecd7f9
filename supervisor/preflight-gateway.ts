import type { Settings } from '../settings/variables.ts';
import { checkDataDir } from './data-dir.ts';
import { keyFileProblems } from './key-file-problems.ts';
import { portProblems } from './port-problems.ts';
import { unauthenticatedProblems } from './preflight.ts';

export interface GatewayPreflightOptions {
  /** As finally decided, with HOST. */
  readonly settings: Settings;
  readonly host: string;
  /** The invalid variables, and their messages. */
  readonly invalidSettings: readonly { readonly variable: string; readonly message: string }[];
}

/** The checks of `corral serve` that apply to a gateway in front of a llama-server that runs elsewhere. */
export async function preflightGateway({ settings, host, invalidSettings }: GatewayPreflightOptions) {
  const data = checkDataDir(settings);
  const isNamed =
    settings.BACKEND_URL !== undefined || invalidSettings.some((it) => it.variable === 'BACKEND_URL');
  const problems = [
    ...invalidSettings.map(({ message }) => message),
    ...(isNamed
      ? []
      : ['BACKEND_URL: not set; expected the address of a llama-server, such as http://127.0.0.1:8080']),
    ...unauthenticatedProblems(settings, host),
    ...keyFileProblems(settings),
    ...data.problems,
    ...(await portProblems([{ name: 'PORT', port: settings.PORT, host }])),
  ];
  return { problems, warnings: data.warnings };
}

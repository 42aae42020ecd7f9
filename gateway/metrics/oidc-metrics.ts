import type { Registry } from 'prom-client';
import { oidc } from './catalogue.ts';
import { registerSamples, registerValue } from './register.ts';

interface OidcSource {
  readonly outcomes: ReadonlyMap<string, number>;
  readonly rulesProblem: string | undefined;
  readonly keys: {
    readonly refreshes: Readonly<Record<'ok' | 'failed', number>>;
    /** ms since 1970; undefined if never. */
    readonly readAt: number | undefined;
  };
}

/** Nothing is shown where no tokens are accepted. */
export function registerOidcMetrics(registry: Registry, source: OidcSource | undefined): void {
  registerSamples(registry, oidc.tokens, () =>
    [...(source?.outcomes ?? [])].map(([outcome, n]) => [{ outcome }, n] as const),
  );
  registerSamples(registry, oidc.refreshes, () =>
    Object.entries(source?.keys.refreshes ?? {}).map(([result, n]) => [{ result }, n] as const),
  );
  registerValue(registry, oidc.readAt, () => source?.keys.readAt && source.keys.readAt / 1000);
  registerValue(registry, oidc.rulesBroken, () => source && Number(source.rulesProblem !== undefined));
}

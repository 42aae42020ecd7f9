/**
 * The content of `models.json` as written. Edits work on it, so that `5m` and `6GiB` stay as their author wrote them. It
 * has passed parseRegistry.
 */
export interface RegistryDocument {
  readonly models: readonly WrittenModel[];
  readonly aliases: readonly WrittenAlias[];
}

export interface WrittenModel extends Readonly<Record<string, unknown>> {
  readonly id: string;
}

export interface WrittenAlias {
  readonly name: string;
  readonly targets: readonly WrittenTarget[];
  readonly previous?: readonly WrittenTarget[] | null;
}

export interface WrittenTarget {
  readonly model: string;
  readonly weight?: number;
}

export const emptyDocument: RegistryDocument = { models: [], aliases: [] };

/** Only for text that parseRegistry has accepted. */
export function parseDocument(text: string): RegistryDocument {
  return { ...emptyDocument, ...(JSON.parse(text) as Partial<RegistryDocument>) };
}

export function formatDocument({ models, aliases }: RegistryDocument): string {
  return `${JSON.stringify({ version: 1, models, aliases }, null, 2)}\n`;
}

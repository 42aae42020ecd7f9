/** What a client knows a tool as that llama-server was given under another name, or as a function. */
export interface ToolAlias {
  readonly type: 'function' | 'custom';
  readonly name: string;
  readonly namespace: string | undefined;
}

/** By the names that llama-server was given. */
export type ToolAliases = ReadonlyMap<string, ToolAlias>;

/** llama-server has one list of names: a tool of a namespace stands in it under both. */
export function qualifiedToolName(name: string, namespace: unknown): string {
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}__${name}` : name;
}

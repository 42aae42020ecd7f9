export interface ToolCall {
  type: string;
  readonly function: { name: string; arguments: string };
  id?: string;
}

export interface ToolCallPiece {
  readonly index: number;
  readonly id?: string;
  readonly type?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

/** A name comes whole, with the first piece or anew; the arguments come letter by letter. */
export function addToolCalls(calls: ToolCall[], pieces: readonly ToolCallPiece[]): void {
  for (const { index, id, type, function: called } of pieces) {
    calls[index] ??= { type: 'function', function: { name: '', arguments: '' } };
    const call = calls[index];
    if (type !== undefined) call.type = type;
    if (id !== undefined) call.id = id;
    if (called?.name !== undefined) call.function.name = called.name;
    call.function.arguments += called?.arguments ?? '';
  }
}

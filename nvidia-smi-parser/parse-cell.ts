/**
 * Cells are free text: besides a figure there may stand `[N/A]`, `[Not Supported]`, `[Insufficient Permissions]`,
 * `[Unknown Error]`, `[GPU is lost]`, `ERR!`, `[Requested functionality has been deprecated]`. What is not a figure is unknown.
 */
const figure = /^(\d{1,15}(?:\.\d+)?)(?: (?:%|MiB|W|MHz|C))?$/;

/** Undefined also for what is larger than can be, such as the −1 that some drivers print without its sign. */
export function parseNumber(cell: string, most: number): number | undefined {
  const match = figure.exec(cell);
  const value = Number(match?.[1]);
  return match && value <= most ? value : undefined;
}

/** A name or a word; undefined where it stands for nothing. */
export function parseText(cell: string): string | undefined {
  return cell === '' || /^(\[.*\]|N\/A|ERR!|Unknown Error)$/.test(cell) ? undefined : cell;
}

/** The state of a mode. */
export function parseMode(cell: string): boolean | undefined {
  return { Enabled: true, Disabled: false }[cell];
}

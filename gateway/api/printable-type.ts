/** As the APIs name their items and blocks: some words, the last of which is one of few. */
const named =
  /^(?:[a-z]{1,20}_){1,4}(?:call|output|use|result|image|file|audio|video|text|reference|block|upload|trigger|item|editing|list_tools|response)$/;

/**
 * The type of an item for an error about it, in brackets, where it is one that an API has; anything else may be what somebody
 * meant to say, and is not repeated.
 */
export function printableType(type: unknown): string {
  return typeof type === 'string' && named.test(type) ? ` (${type})` : '';
}

const mediaType = /^(?:application|audio|image|text|video)\/[\w.+-]{1,40}$/;

/** The same for the media type of a file. */
export function printableMediaType(type: unknown): string {
  return typeof type === 'string' && mediaType.test(type) ? ` (${type})` : '';
}

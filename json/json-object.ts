/** The members of a JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

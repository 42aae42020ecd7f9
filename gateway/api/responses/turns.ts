import { isJsonObject } from '../json.ts';

/** The items of a request, and where whole turns may be cut off from their front. */
export interface Turns {
  readonly items: readonly unknown[];
  /** How many system and developer messages come first. They always stay. */
  readonly leading: number;
  /** Where all turns but the first one start: what is between the leading messages and such a place may be dropped. */
  readonly starts: readonly number[];
  /** Those of the last turn, if it has several. */
  readonly rounds?: Rounds | undefined;
}

/** A round of a turn has calls with their outputs, and what the model has written before them. */
export interface Rounds {
  /** Where the turn starts, and the first round behind its message. */
  readonly turn: number;
  readonly first: number;
  /** Where all rounds but the first one start: what is between its message and such a place may be dropped. */
  readonly starts: readonly number[];
}

/**
 * Divides items, in the form that llama-server reads, into turns. A turn starts with a message to the model, and has all that
 * follows until the next one. Turns that share a call and its output stay together.
 */
export function findTurns(items: readonly unknown[]): Turns {
  const leading = countLeading(items);
  const starts: number[] = [];
  let reach = leading;
  const lastOfCall = lastPlaces(items);
  for (let place = leading; place < items.length; place++) {
    if (place > reach && startsTurn(items, place, leading)) starts.push(place);
    reach = Math.max(reach, lastOfCall.get(getCallId(items[place])) ?? place);
  }
  return { items, leading, starts, rounds: findRounds(items, starts.at(-1) ?? leading, lastOfCall) };
}

/** The last place of each call: that of its output, if it has one. */
function lastPlaces(items: readonly unknown[]): ReadonlyMap<unknown, number> {
  const places = new Map(items.map((item, place) => [getCallId(item), place] as const));
  places.delete(undefined);
  return places;
}

/** None if the user has said something between them: that must not be lost. */
function findRounds(
  items: readonly unknown[],
  turn: number,
  lastOfCall: ReadonlyMap<unknown, number>,
): Rounds | undefined {
  const length = items.slice(turn).findIndex((item) => !isOfUser(item));
  const first = turn + length;
  if (length === -1 || items.slice(first).some(isOfUser)) return undefined;
  const starts: number[] = [];
  let reach = first;
  for (let place = first; place < items.length; place++) {
    if (place > reach && isOutput(items[place - 1]) && !isOutput(items[place])) starts.push(place);
    reach = Math.max(reach, lastOfCall.get(getCallId(items[place])) ?? place);
  }
  return starts.length === 0 ? undefined : { turn, first, starts };
}

/** The items without their first turns; if more are to be dropped than there are, also without the first rounds of the last one. */
export function dropTurns({ items, leading, starts, rounds }: Turns, dropped: number): readonly unknown[] {
  const round = rounds?.starts[dropped - starts.length - 1];
  if (rounds !== undefined && round !== undefined)
    return [...items.slice(0, leading), ...items.slice(rounds.turn, rounds.first), ...items.slice(round)];
  const start = starts[dropped - 1];
  return start === undefined ? items : [...items.slice(0, leading), ...items.slice(start)];
}

function countLeading(items: readonly unknown[]): number {
  const first = items.findIndex((item) => !isInstruction(item));
  return first === -1 ? items.length : first;
}

/** System and developer messages belong to the message of the user behind them. */
function startsTurn(items: readonly unknown[], place: number, leading: number): boolean {
  const follows = place > leading && isInstruction(items[place - 1]);
  return !follows && (isInstruction(items[place]) || getRole(items[place]) === 'user');
}

const isOfUser = (item: unknown) => getRole(item) === 'user' || isInstruction(item);

const isOutput = (item: unknown) => isJsonObject(item) && String(item.type).endsWith('_output');

const isInstruction = (item: unknown) => getRole(item) === 'system' || getRole(item) === 'developer';

const getRole = (item: unknown) => (isJsonObject(item) ? item.role : undefined);

function getCallId(item: unknown): unknown {
  return isJsonObject(item) ? item.call_id : undefined;
}

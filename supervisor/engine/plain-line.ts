import { stripVTControlCharacters } from 'node:util';
import * as z from 'zod';

const jsonLine = z.object({ time: z.number(), level: z.string(), msg: z.string() });

/** Of a log without its level, by who speaks. */
const speaks = /^(?:slot|srv|que|res|cmn) +[\w~:()]+:/;

/**
 * A line of llama-server as its log has it unless arguments say otherwise: `0.00.011.706 E srv  load_model: …`. Arguments may
 * colour it, leave out the time or all of the beginning, or make JSON of it.
 */
export function normalizeEngineLine(line: string): string {
  if (line.startsWith('{"type":"')) return fromJson(line);
  const text = line.includes('\u001b') ? stripVTControlCharacters(line) : line;
  if (/^[DIWET] /.test(text)) return `0.00 ${text}`;
  return speaks.test(text) ? `0.00 I ${text}` : text;
}

function fromJson(line: string): string {
  const { data } = jsonLine.safeParse(parsed(line));
  if (data === undefined) return line;
  const { time, level, msg } = data;
  return `${(time / 1e6).toFixed(3)} ${level.charAt(0).toUpperCase()} ${msg.split('\n', 1)[0] ?? ''}`;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

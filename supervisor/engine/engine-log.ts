import { stripVTControlCharacters } from 'node:util';
import * as z from 'zod';

export interface EngineLine {
  readonly text: string;
  readonly level: 'warn' | 'info' | 'debug';
}

/** `0.00.011.706 E srv  load_model: …`: time since the start, level, text. */
const prefixed = /^[\d.]+ ([DIWE]) (.*)$/;
const alarming = /\b(error|fail(ed|ure)?|abort(ed)?|assert\w*|exception|fatal|out of memory)\b/i;

/** Its errors are often mistakes of clients, and its warnings are hints: each is logged one level lower. */
const levels: Readonly<Record<string, EngineLine['level']>> = { E: 'warn', W: 'info' };

/** It warns about every prompt in its cache and every unauthorized caller, which needs no action. */
const noise = /^slot |unauthorized/;

/** Parses a line of llama-server's output. Lines before its log is set up, and those of older builds, have no level. */
export function parseEngineLine(line: string): EngineLine {
  const match = prefixed.exec(line);
  if (!match) return { text: line, level: alarming.test(line) ? 'warn' : 'debug' };
  const [, level = '', text = ''] = match;
  return { text, level: (level !== 'E' && noise.test(text) ? undefined : levels[level]) ?? 'debug' };
}

const jsonLine = z.object({ time: z.number(), level: z.string(), msg: z.string() });

/** A log line without its level starts with the name of a component. */
const component = /^(?:slot|srv|que|res|cmn) +[\w~:()]+:/;

/**
 * Converts a line of llama-server to its default log format: `0.00.011.706 E srv  load_model: …`. Arguments can add colours,
 * remove the time or the whole prefix, or turn it into JSON.
 */
export function normalizeEngineLine(line: string): string {
  if (line.startsWith('{"type":"')) return fromJson(line);
  const text = line.includes('\u001b') ? stripVTControlCharacters(line) : line;
  if (/^[DIWET] /.test(text)) return `0.00 ${text}`;
  return component.test(text) ? `0.00 I ${text}` : text;
}

function fromJson(line: string): string {
  const { data } = jsonLine.safeParse(parseJson(line));
  if (data === undefined) return line;
  const { time, level, msg } = data;
  return `${(time / 1e6).toFixed(3)} ${level.charAt(0).toUpperCase()} ${msg.split('\n', 1)[0] ?? ''}`;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

import { PinoPretty } from 'pino-pretty';

/** Lines for people: time, level, who speaks, the words, then what else is known; coloured on a terminal only. */
export function prettyStream() {
  return PinoPretty({
    colorize: process.stdout.isTTY === true && !process.env.NO_COLOR,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname,from',
    messageFormat: '{from}: {msg}',
    singleLine: true,
    errorLikeObjectKeys: [],
    destination: 1,
    sync: true,
  });
}

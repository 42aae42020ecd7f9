import { DAY } from '../../settings/durations.ts';
import { readSettings } from '../../settings/read-settings.ts';

/** `KEY_MAX_AGE_DAYS` in ms; undefined where no age is too great. */
export function maxKeyAgeMs(): number | undefined {
  const days = readSettings(process.env).settings.KEY_MAX_AGE_DAYS;
  return days && days * DAY;
}

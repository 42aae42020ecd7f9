import { readSettings } from '../../settings/read-settings.ts';

const DAY = 86_400_000;

/** `KEY_MAX_AGE_DAYS` in ms; undefined where no age is too great. */
export function maxKeyAgeMs(): number | undefined {
  const days = readSettings(process.env).settings.KEY_MAX_AGE_DAYS;
  return days && days * DAY;
}

import { describe, expect, it } from 'vitest';
import { parseIsoTime } from './iso-time.ts';

describe('parseIsoTime', () => {
  it.each([
    ['2027-01-31', '2027-01-31T00:00:00.000Z'],
    ['20270131', '2027-01-31T00:00:00.000Z'],
    ['2027-01-31T12', '2027-01-31T12:00:00.000Z'],
    ['2027-01-31T12:30', '2027-01-31T12:30:00.000Z'],
    ['2027-01-31 12:30:15', '2027-01-31T12:30:15.000Z'],
    ['2027-01-31T12:30:15.25', '2027-01-31T12:30:15.250Z'],
    ['2027-01-31T12:30:15.123456', '2027-01-31T12:30:15.123Z'],
    ['20270131T123015Z', '2027-01-31T12:30:15.000Z'],
    ['2027-01-31T12:30:15z', '2027-01-31T12:30:15.000Z'],
    ['2027-01-31T12:30:15+02:00', '2027-01-31T10:30:15.000Z'],
    ['2027-01-31T12:30:15-0530', '2027-01-31T18:00:15.000Z'],
    ['2027-01-01T00:30+01', '2026-12-31T23:30:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ])('parses %s', (text, iso) => {
    expect(new Date(parseIsoTime(text) ?? Number.NaN).toISOString()).toBe(iso);
  });

  it.each([
    '',
    'tomorrow',
    '2027',
    '2027-1-31',
    '2027-02-29',
    '2027-13-01',
    '2027-01-31T24:00',
    '2027-01-31T12:60',
    '2027-01-31T12:30:15+25:00',
    '2027-01-31Z',
    '2027-0131',
    '2027-01-31T12:30:15 ',
  ])('rejects %j', (text) => {
    expect(parseIsoTime(text)).toBeUndefined();
  });

  it('does not depend on the time zone of the machine', () => {
    const zone = process.env.TZ;
    try {
      for (const TZ of ['Asia/Tokyo', 'America/New_York']) {
        process.env.TZ = TZ;
        expect(parseIsoTime('2027-01-31T12:30:15')).toBe(Date.UTC(2027, 0, 31, 12, 30, 15));
      }
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });
});

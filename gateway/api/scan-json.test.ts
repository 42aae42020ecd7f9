import { expect, it } from 'vitest';
import { findObjectEnd, readCount, readWord, skipColon } from './scan-json.ts';

it.each([
  ['{}', 1],
  [' {"a":1} }', 7],
  ['{"a":{"b":{}},"c":{}},', 20],
  ['{"a":{"b":1}', -1],
  ['null}', -1],
  ['', -1],
])('findObjectEnd: %s', (text, end) => {
  expect(findObjectEnd(text, 0)).toBe(end);
});

it.each([
  ['"n":12}', 12],
  ['"n" : 0,', 0],
  ['"n":null', undefined],
  ['"n"', undefined],
  ['"nn":1', undefined],
  [`${' '.repeat(50)}"n":1`, undefined],
])('readCount: %s', (text, count) => {
  expect(readCount(text, '"n"', 0, 40)).toBe(count);
});

it.each([
  ['":"stop"', 'stop'],
  ['" : "stop"', 'stop'],
  ['":"two words"', undefined],
  ['":""', undefined],
  ['":null', undefined],
  ['":"sto', undefined],
  [`":"${'x'.repeat(100)}"`, undefined],
])('readWord: %s', (text, word) => {
  expect(readWord(text, skipColon(text, 1))).toBe(word);
});

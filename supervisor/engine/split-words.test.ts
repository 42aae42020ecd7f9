import { describe, expect, it } from 'vitest';
import { splitWords } from './split-words.ts';

describe('splitWords', () => {
  it.each([
    ['', []],
    ['  \n ', []],
    ['--temp 0.5', ['--temp', '0.5']],
    [`--chat-template-kwargs '{"a": "b c"}'`, ['--chat-template-kwargs', '{"a": "b c"}']],
    ['--grammar "root ::= \\"yes\\""', ['--grammar', 'root ::= "yes"']],
    ['a\\ b c', ['a b', 'c']],
    [`--x='one two'"three"`, ['--x=one twothree']],
    [`""`, ['']],
    [`"keep \\n"`, ['keep \\n']],
    ['$HOME *', ['$HOME', '*']],
  ])('cuts %j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it.each(["--x 'open", '--x "open', 'end\\', `a"b`])('refuses %j', (line) => {
    expect(splitWords(line)).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { UsageError } from '../run-command.ts';
import { parsePrompts } from './prompts.ts';

const messages = [{ role: 'user', content: 'Hi' }];

describe('parsePrompts', () => {
  it('takes texts, JSON strings, prompts and messages, one to a line', () => {
    const text = `What is a lane?\r\n\n"two\\nlines"\n{"prompt":"three"}\n${JSON.stringify({ messages })}\n`;
    expect(parsePrompts(text, 'chat')).toEqual(['What is a lane?', 'two\nlines', 'three', messages]);
  });

  it.each(['{"prompt":', '{"question":"secret"}', '{"messages":[]}'])(
    'names the line of %s, not its words',
    (line) => {
      const parse = () => parsePrompts(`fine\n${line}`, 'chat');
      expect(parse).toThrow(UsageError);
      expect(parse).toThrow(/^line 2 of the prompts is neither text nor JSON with prompt or messages$/);
    },
  );

  it('refuses messages for completions, and an empty file', () => {
    expect(() => parsePrompts(JSON.stringify({ messages }), 'completions')).toThrow(/--path completions/);
    expect(() => parsePrompts('\n\n', 'chat')).toThrow('the prompts file is empty');
  });
});

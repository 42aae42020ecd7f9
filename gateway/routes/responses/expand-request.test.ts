import { expect, it } from 'vitest';
import { expandRequest } from './expand-request.ts';

const own = { items: [{ role: 'user', content: 'b' }], stored: [], hasReferences: false };
const expand = (text: string, tools?: readonly unknown[]) =>
  expandRequest(text, JSON.parse(text), own, { items: [{ role: 'user', content: 'a' }], tools });

it('the history is a part of the input, and numbers keep their digits', () => {
  const text = '{"seed":9223372036854775807,"top_p":1.0,"input":"b","previous_response_id":"resp_1"}';
  const { body, fields } = expand(text);
  expect(body.toString()).toBe(
    '{"seed":9223372036854775807,"top_p":1.0,"input":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}',
  );
  expect(fields).toEqual(JSON.parse(body.toString()));
});

it('tools are inherited by a request that names none', () => {
  const tools = [{ type: 'function', name: 'f' }];
  const toolsOf = (text: string) => {
    const { body, fields } = expand(text, tools);
    expect(JSON.parse(body.toString())).toEqual(fields);
    return fields.tools;
  };
  expect(toolsOf('{"input":"b"}')).toEqual(tools);
  expect(toolsOf('{"input":"b","tools":null}')).toEqual(tools);
  expect(toolsOf('{"input":"b","tools":[]}')).toEqual([]);
  expect(toolsOf('{"input":"b","tools":[{"type":"custom","name":"g"}]}')).toEqual([
    { type: 'custom', name: 'g' },
  ]);
});

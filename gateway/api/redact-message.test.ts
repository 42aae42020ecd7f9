import { expect, it } from 'vitest';
import { redactMessage } from './redact-message.ts';

const sent = 'the-pin-is-4711';

it.each([
  [
    `Failed to parse messages: Missing 'role' in message: {"content":"${sent}"}`,
    "Failed to parse messages: Missing 'role'",
  ],
  [
    `[json.exception.parse_error.101] parse error at line 1, column 62: syntax error while parsing value - invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF; last read: '"${sent} \\ud83d"'`,
    '[json.exception.parse_error.101] parse error at line 1, column 62: syntax error while parsing value - invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF',
  ],
  [
    `Failed to parse tools: Unsupported tool type: {"type":"${sent}"}; tools = [\n  {\n    "type": "${sent}"\n  }\n]`,
    'Failed to parse tools: Unsupported tool type',
  ],
  [
    `Failed to parse tools: [json.exception.out_of_range.403] key 'name' not found; tools = [\n  {"a": "${sent}"}]`,
    "Failed to parse tools: [json.exception.out_of_range.403] key 'name' not found",
  ],
  [
    `Failed to parse tools: Expected 'tools' to be an array, got {"a":"${sent}"}; tools = {"a": "${sent}"}`,
    "Failed to parse tools: Expected 'tools' to be an array, got …",
  ],
  [
    `Failed to parse messages: Missing tool call type: "${sent}"`,
    'Failed to parse messages: Missing tool call type',
  ],
  [
    `Failed to parse messages: Expected 'message' to be an object, got ["${sent}"]`,
    "Failed to parse messages: Expected 'message' to be an object, got …",
  ],
  [`Invalid tool_choice: ${sent}`, 'Invalid tool_choice'],
  [`Unknown reasoning format: ${sent}`, 'Unknown reasoning format'],
  [
    `response_format type must be one of "text" or "json_object", but got: ${sent}`,
    'response_format type must be one of "text" or "json_object", but got …',
  ],
  [
    `JSON schema error at #/properties/${sent}/items/properties/type: unrecognized type ${sent}`,
    'JSON schema error at #/properties/…/items/properties/…: unrecognized type',
  ],
  [
    `JSON schema error at #: cannot resolve $ref #/x/${sent}, ${sent} not found`,
    'JSON schema error at #: cannot resolve $ref',
  ],
  [
    `JSON schema error at #: unsupported $ref ${sent}, only references into the same document are supported`,
    'JSON schema error at #: unsupported $ref, only references into the same document are supported',
  ],
  [
    `JSON schema conversion failed:\nInvalid pattern ^(${sent}$: unbalanced parentheses`,
    'JSON schema conversion failed: Invalid pattern: unbalanced parentheses',
  ],
  [
    `JSON schema conversion failed:\nUnrecognized schema: {"type":"${sent}"}`,
    'JSON schema conversion failed: Unrecognized schema',
  ],
  [`JSON schema conversion failed:\nError resolving ref #/a: b not in {"x":"${sent}"}`, undefined],
  [`JSON schema conversion failed:\nRule ${sent} not known`, undefined],
  [`expecting ::= at ${sent}`, 'expecting ::='],
  [`Undefined rule identifier '${sent}'`, 'Undefined rule identifier'],
  [`invalid token '${sent}'`, 'invalid token'],
  [`Unexpected empty grammar stack after accepting piece: ${sent} (55)`, undefined],
  [`Grammar trigger word should be marked as preserved token: ${sent}`, undefined],
  [`Invalid diff: 'one ${sent}' not found at start of 'it's ${sent}'`, 'Invalid diff'],
  [`Failed to parse input at pos 12: ${sent}`, 'Failed to parse input at pos 12'],
  [
    `The model produced output that does not match the expected peg-native format: ${sent}`,
    'The model produced output that does not match the expected peg-native format',
  ],
  [`Jinja Exception: Unexpected role: ${sent}`, 'Jinja Exception: Unexpected role'],
  [`Jinja Exception: no '${sent}' here`, undefined],
  [`number overflow parsing '4711'`, 'number overflow parsing'],
  [`something new: "${sent}"`, 'something new'],
  [`something new about 'my ${sent}' and its like`, 'something new about …'],
  [`something new: {\n"a": "${sent}"}`, 'something new'],
])('a quotation is cut: %j', (message, left) => {
  const shown = redactMessage(message);
  expect(shown).not.toMatch(/4711|the-pin/);
  if (left !== undefined) expect(shown).toBe(left);
});

it.each([
  '"prompt" elements must be a string, a list of tokens, a JSON object containing a prompt string, or a list of mixed strings & tokens.',
  "'type' must be one of 'input_text', 'input_image', or 'input_file'",
  'request (20004 tokens) exceeds the available context size (2048 tokens), try increasing it',
  'invalid type for "enable_thinking" (expected boolean, got string)',
  "Field 'temperature': [json.exception.type_error.302] type must be number, but is string",
  "Field 'lora': Error: 'lora' must be an array of objects with 'id' and 'scale' fields",
  'unsupported content[].type',
  'Failed to initialize samplers: failed to parse grammar',
  'This server does not support embeddings. Start it with `--embeddings`',
  'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
  'Value must be between 0 <= value <= 2, but got 5',
  "llama.cpp does not support 'previous_response_id'.",
  'Failed to parse messages: [json.exception.type_error.302] type must be string, but is number',
  'vector::_M_range_check: __n (which is 1000000000) >= this->size() (which is 4165)',
  'Jinja Exception: Conversation roles must alternate user/assistant',
  'Invalid diff: now finding less tool calls!',
  'Invalid continue_final_message: expected a boolean, "content" or "reasoning_content"',
  'input (721 tokens) is too large to process. increase the physical batch size (current batch size: 512)',
  "JSON schema error at #: pattern must start with '^' and end with '$'",
])('text of llama-server itself is kept: %j', (message) => {
  expect(redactMessage(message)).toBe(message);
});

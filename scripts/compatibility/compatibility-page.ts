import { chatTable, completionTable } from './chat-table.ts';
import { messagesTable } from './messages-table.ts';
import { responsesTable } from './responses-table.ts';
import type { Row, Table } from './row.ts';

const tables: readonly Table[] = [chatTable, completionTable, responsesTable, messagesTable];

/** `docs/compatibility.md`, made from the tables beside this file. `npm run docs` writes it. */
export function compatibilityPage(): string {
  return `${[intro, ...tables.map(section)].join('\n\n')}\n`;
}

const intro = `# What becomes of a request

llama-server reads some fields otherwise than their API means them, and passes over others. This page says what becomes of every field, item, block
and tool of the APIs. It is generated from \`scripts/compatibility/\` by \`npm run docs\`, and every line is tried in the tests.

- **carried**: it goes to llama-server as it came.
- **bridged**: it is worded anew, and means to llama-server what it means to its API.
- **no effect**: it is taken, and changes nothing of the answer.
- **told**: it is left out, and a header of the answer says so.
- **refused**: 400, with the field, the reason and the way out.

A \`null\` is as good as nothing wherever its API allows it, and half a character (\`\\ud83d\` alone, where a text was cut inside an emoji) becomes U+FFFD.
A body that needs nothing of all this keeps its bytes; in one that is worded anew every number keeps its digits. [api.md](api.md) says the rest.`;

function section({ title, about, rows }: Table): string {
  return [`## ${title}`, '', about, '', '| what | | how |', '|---|---|---|', ...rows.map(line)].join('\n');
}

function line({ names, fate, how }: Row): string {
  return `| ${names.map((name) => `\`${name}\``).join(' ')} | ${fate} | ${how || '–'} |`;
}

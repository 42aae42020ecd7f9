import { chatTable, completionTable } from './chat-table.ts';
import { messagesTable } from './messages-table.ts';
import { responsesTable } from './responses-table.ts';
import type { Row, Table } from './row.ts';

const tables: readonly Table[] = [chatTable, completionTable, responsesTable, messagesTable];

/** `docs/compatibility.md`, generated from the tables beside this file by `npm run docs`. */
export function compatibilityPage(): string {
  return `${[intro, ...tables.map(section)].join('\n\n')}\n`;
}

const intro = `# How every field of a request is handled

llama-server reads some fields differently than their API means them, and ignores others. This page lists how every field, item, block and tool of
the APIs is handled. It is generated from \`scripts/compatibility/\` by \`npm run docs\`, and the tests check every line.

- **supported**: it goes to llama-server unchanged.
- **converted**: it goes to llama-server in another form, with the same meaning.
- **ignored**: it is accepted, and changes nothing in the response.
- **dropped**: it is removed, and a response header names it.
- **rejected**: the response is a 400 with the field, the reason and what to do instead.

Where an API allows \`null\`, it means that the field is not set. Half a character (\`\\ud83d\` alone, where a text was cut inside an emoji) becomes U+FFFD.
A value of a wrong type is rejected, also where llama-server would ignore it: \`"response_format": "json_object"\`, or a schema beside \`json_schema\`.
A body that needs no change keeps its bytes; in a body that is changed, every number keeps its digits. See also [api.md](api.md).`;

function section({ title, note, rows }: Table): string {
  return [`## ${title}`, '', note, '', '| what | | how |', '|---|---|---|', ...rows.map(line)].join('\n');
}

function line({ names, support, details }: Row): string {
  return `| ${names.map((name) => `\`${name}\``).join(' ')} | ${support} | ${details || '–'} |`;
}

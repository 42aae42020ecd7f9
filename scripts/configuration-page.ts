import { sections, type Variable } from '../settings/variable.ts';
import { variables } from '../settings/variables.ts';

/** The text of `docs/configuration.md`, from the table of variables; `npm run docs` writes it. */
export function configurationPage(): string {
  return `${[intro, ...sections.map(formatSection)].join('\n\n')}\n`;
}

const intro = `# Configuration

Everything is set by environment variables. This page is generated from \`settings/variables.ts\` by \`npm run docs\`.

- **Booleans**: \`true\`, \`1\`, \`yes\`, \`on\`, or \`false\`, \`0\`, \`no\`, \`off\`.
- **Durations**: seconds, or a number with the unit \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`: \`90\`, \`90s\`, \`5m\`, \`2h\`.
- **Sizes**: bytes, or a number with the unit \`KB\`, \`MB\`, \`GB\`, \`KiB\`, \`MiB\` or \`GiB\`: \`10485760\`, \`10MiB\`.
- **Secrets**: a variable marked 🔒 holds a secret. \`<NAME>_FILE\` may name a file that contains it instead.
- **0** turns something off only if this page states it. An empty value counts as unset. Quotes around a value are removed, with a warning.
- **Errors**: all invalid values are reported at once, and nothing starts (exit status 2). Invalid \`OTEL_\` variables, which clusters often set for
  all programs, only cause a warning and are ignored.

\`corral config\` shows every value and its source.`;

function formatSection(section: string): string {
  const rows = Object.entries(variables as Record<string, Variable>)
    .filter(([, variable]) => variable.section === section)
    .map(([name, variable]) => row(name, variable));
  return [`## ${section}`, '', '| variable | default | description |', '|---|---|---|', ...rows].join('\n');
}

function row(name: string, variable: Variable): string {
  const { secret, summary } = variable;
  return `| \`${name}\`${secret ? ' 🔒' : ''} | ${defaultOf(variable)} | ${summary.replaceAll('|', '\\|')} |`;
}

function defaultOf({ default: value, kind, computedDefault }: Variable): string {
  if (computedDefault !== undefined) return computedDefault;
  const shown = value === undefined ? '' : kind.format(value);
  return shown === '' ? '–' : `\`${shown}\``;
}

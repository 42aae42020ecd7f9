import { sections, type Variable, variables } from '../settings/variables.ts';

/** `docs/configuration.md`, made from the one place that knows the variables. `npm run docs` writes it. */
export function configurationPage(): string {
  return `${[intro, ...sections.map(chapter)].join('\n\n')}\n`;
}

const intro = `# Configuration

Everything is set by environment variables. This page is generated from \`settings/variables.ts\` by \`npm run docs\`.

- Booleans are \`true\`, \`1\`, \`yes\`, \`on\` or \`false\`, \`0\`, \`no\`, \`off\`, and nothing else.
- Durations are seconds, or a number with \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`: \`90\`, \`90s\`, \`5m\`, \`2h\`.
- Sizes are bytes, or a number with \`KB\`, \`MB\`, \`GB\`, \`KiB\`, \`MiB\` or \`GiB\`: \`10485760\`, \`10MiB\`.
- An empty value counts as unset. Quotes around a value are taken off, with a warning. Every mistake is reported at once, with what would fit, and
  nothing starts (exit status 2); of the variables of OpenTelemetry, which clusters set for everybody, one is a warning and counts as unset.
- 0 is off only where this page says so.
- A variable marked 🔒 holds a secret: \`<NAME>_FILE\` may name a file that holds it instead.

\`corral config\` shows every value in force and where it came from.`;

function chapter(section: string): string {
  const rows = Object.entries(variables as Record<string, Variable>)
    .filter(([, variable]) => variable.section === section)
    .map(([name, variable]) => row(name, variable));
  return [`## ${section}`, '', '| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
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

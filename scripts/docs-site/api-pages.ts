import { fieldTable, type Schema, schemaLink, schemasPath, typeText, variantsOf } from './schema-text.ts';
import type { SitePage } from './site-pages.ts';

/** The OpenAPI document, as far as the pages show it. */
interface ApiDocument {
  readonly info: { readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, Response>>;
    readonly securitySchemes: Readonly<Record<string, { readonly description: string }>>;
  };
}

interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly externalDocs?: { readonly url: string };
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Response>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description: string;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema; readonly example?: object }>>;

interface Response {
  readonly $ref?: string;
  readonly description?: string;
  readonly content?: Content;
}

/** The API reference of the site: an overview, one page per tag, and the schemas. */
export function apiReferencePages(document: ApiDocument): SitePage[] {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const ofTags = document.tags.map(({ name, description }) => {
    const sections = operations
      .filter(({ operation }) => operation.tags.includes(name))
      .map(({ path, method, operation }) => operationText(path, method, operation, document));
    return page(`api-reference/${slug(name)}.md`, name, [description, ...sections]);
  });
  return [overview(document, ofTags), ...ofTags, schemas(document)];
}

function overview({ info, components }: ApiDocument, pages: readonly SitePage[]): SitePage {
  return page('api-reference/index.md', 'Overview', [
    `Version ${info.version} of the API as an OpenAPI document: <a href="../openapi.json" target="_self">openapi.json</a>. A running gateway serves it at \`/openapi.json\`, and shows it at \`/docs\`, where you can send requests.`,
    info.description,
    '## Ways to send a key',
    list(Object.values(components.securitySchemes).map(({ description }) => description)),
    '## Pages',
    list(pages.map(({ path, title }) => `[${title}](/${path})`)),
  ]);
}

function operationText(path: string, method: string, operation: Operation, document: ApiDocument): string {
  const { summary, description, externalDocs } = operation;
  const isOptional = operation.security.some((way) => Object.keys(way).length === 0);
  const scope = Object.values(operation.security[0] ?? {})[0]?.[0];
  const key = scope === undefined ? 'No key is required.' : `Scope of the key: \`${scope}\`.`;
  return paragraphs([
    `## ${method.toUpperCase()} \`${path}\``,
    `${summary}.`.replace(/\.\.$/, '.'),
    description,
    [
      isOptional ? `${key} Without a key the response has less.` : key,
      externalDocs && `See also [the documentation of this API](${externalDocs.url}).`,
    ]
      .filter(Boolean)
      .join(' '),
    parameterTable(operation.parameters ?? []),
    operation.requestBody && bodyText(operation.requestBody),
    responseTable(operation.responses, document),
  ]);
}

function parameterTable(parameters: readonly Parameter[]): string | undefined {
  if (parameters.length === 0) return undefined;
  const rows = parameters.map(
    ({ name, in: place, description, schema }) =>
      `| \`${name}\` | ${place} | ${typeText(schema)} | ${description.replaceAll('|', '\\|')} |`,
  );
  return ['| parameter | in | type | |', '|---|---|---|---|', ...rows].join('\n');
}

function bodyText({ content, required }: { content: Content; required: boolean }): string {
  const ways = Object.entries(content).map(([type, { schema }]) => `${typeText(schema)} as \`${type}\``);
  const example = Object.values(content).find((body) => body.example !== undefined)?.example;
  return paragraphs([
    `**Body**${required ? '' : ' (optional)'}: ${ways.join(', or ')}.`,
    example && `\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``,
  ]);
}

function responseTable(responses: Readonly<Record<string, Response>>, { components }: ApiDocument): string {
  const rows = Object.entries(responses).map(([status, response]) => {
    const { description = '', content = {} } = response.$ref
      ? (components.responses[response.$ref.split('/').at(-1) ?? ''] ?? {})
      : response;
    const bodies = Object.entries(content).map(([type, { schema }]) =>
      type === 'text/event-stream' ? `stream of ${typeText(schema)}` : typeText(schema),
    );
    return `| ${status} | ${description.replaceAll('\n', ' ')} | ${bodies.join(', or ')} |`;
  });
  return ['| status | | body |', '|---|---|---|', ...rows].join('\n');
}

function schemas({ components }: ApiDocument): SitePage {
  const sorted = Object.entries(components.schemas).toSorted(([a], [b]) => a.localeCompare(b));
  const sections = sorted.map(([name, schema]) =>
    paragraphs([`## ${name}`, schema.description, ...schemaBody(schema)]),
  );
  return page(schemasPath, 'Schemas', sections);
}

function schemaBody(schema: Schema): string[] {
  const variants = variantsOf(schema);
  if (variants === undefined) return [fieldTable(schema) ?? typeText(schema)];
  if (variants.every(({ $ref }) => $ref !== undefined))
    return ['One of:', list(variants.map(({ $ref = '' }) => schemaLink($ref)))];
  return ['One of:', ...variants.map((variant) => fieldTable(variant) ?? typeText(variant))];
}

function page(path: string, title: string, parts: readonly string[]): SitePage {
  return { path, title, text: `${paragraphs([`# ${title}`, ...parts])}\n` };
}

const paragraphs = (parts: readonly (string | undefined)[]) => parts.filter(Boolean).join('\n\n');
const list = (items: readonly string[]) => items.map((item) => `- ${item}`).join('\n');
const slug = (name: string) => name.toLowerCase().replaceAll(/[^a-z]+/g, '-');

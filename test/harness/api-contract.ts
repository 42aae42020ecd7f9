import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parseEvents } from '../../sse/sse.ts';
import type { WireResponse } from './violations.ts';

interface ApiOperation {
  readonly 'x-also-at'?: readonly string[];
  readonly responses: Readonly<Record<string, ApiResponse | { readonly $ref: string }>>;
}

interface ApiResponse {
  readonly headers?: object;
  readonly content?: Readonly<Record<string, { readonly examples?: Readonly<Record<string, Example>> }>>;
}

interface Example {
  readonly value: { readonly error: { readonly code?: string } };
}

interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, ApiResponse>> };
}

/** A response and its request. */
export interface ContractResponse extends Omit<WireResponse, 'requestId' | 'ended'> {
  readonly method: string;
  readonly headers: Headers;
}

/** Checks responses against a served OpenAPI document. */
export class ApiContract {
  readonly #document: ApiDocument;
  /** Those with more segments first: a parameter of another one may fit what follows. */
  readonly #paths: readonly (readonly [string, Readonly<Record<string, ApiOperation>>])[];
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(document: object) {
    this.#document = document as ApiDocument;
    this.#paths = Object.entries(this.#document.paths).toSorted(([a], [b]) => segments(b) - segments(a));
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ ...document, $id: 'api' });
  }

  /** All operations as `GET /path`, including their other paths. */
  get operations(): string[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { 'x-also-at': alsoAt = [] }]) =>
        [path, ...alsoAt].map((at) => `${method.toUpperCase()} ${at}`),
      ),
    );
  }

  /** Everything in a response that the document does not describe. */
  breaches(received: ContractResponse): string[] {
    const { method, path, status } = received;
    const found = this.#find(method.toLowerCase(), path, status);
    if (found === undefined) return [`${method} ${path} ${status} is not in the document`];
    const type = received.contentType.split(';')[0] ?? '';
    const breaches = [
      ...undocumentedHeaders(received, found.response),
      ...this.#inBody(received, type, found),
    ];
    return breaches.map((what) => `${method} ${path} ${status}: ${what}`);
  }

  #inBody(received: ContractResponse, type: string, { response, pointer }: Found): string[] {
    if (received.text === '') return [];
    const content = response.content?.[type];
    if (content === undefined) return [`the document has no content type ${type}`];
    const schema = `${pointer}/content/${escaped(type)}/schema`;
    if (type === 'text/plain') return [];
    if (type === 'text/event-stream')
      return parseEvents(received.text).flatMap((event) => this.#validate(event, schema));
    const body: unknown = JSON.parse(received.text);
    return [...this.#validate(body, schema), ...unknownCode(body, content.examples)];
  }

  #validate(value: unknown, pointer: string): string[] {
    const validate = this.#ajv.getSchema(`api#${pointer}`);
    if (validate === undefined) return [`there is no schema at ${pointer}`];
    return validate(value) ? [] : [this.#ajv.errorsText(validate.errors)];
  }

  #find(method: string, path: string, status: number): Found | undefined {
    for (const [pattern, methods] of this.#paths) {
      const operation = methods[method];
      const patterns = [pattern, ...(operation?.['x-also-at'] ?? [])];
      const response = operation?.responses[status];
      if (response === undefined || !patterns.some((one) => fits(path, one))) continue;
      if (!('$ref' in response))
        return { response, pointer: `/paths/${escaped(pattern)}/${method}/responses/${status}` };
      const pointer = (response as { $ref: string }).$ref.slice(1);
      const shared = this.#document.components.responses[pointer.split('/').at(-1) ?? ''];
      return shared && { response: shared, pointer };
    }
    return undefined;
  }
}

interface Found {
  readonly response: ApiResponse;
  readonly pointer: string;
}

const escaped = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

const segments = (path: string) => path.split('/').length;

function fits(path: string, pattern: string): boolean {
  return new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '.+')}$`).test(path);
}

/** Our headers that are not in the document. */
function undocumentedHeaders({ headers }: ContractResponse, response: ApiResponse): string[] {
  const ours = [...headers.keys()].filter((name) =>
    /^x-(?!accel|content|frame)|^retry-after|^request-id$/.test(name),
  );
  const named = Object.keys(response.headers ?? {});
  return ours.filter((name) => !named.includes(name)).map((name) => `it has ${name}`);
}

/** An error code that is not in the document; errors of Anthropic's API have none. */
function unknownCode(body: unknown, examples: Readonly<Record<string, Example>> | undefined): string[] {
  if (examples === undefined) return [];
  const { error } = body as Example['value'];
  const codes = Object.values(examples).map(({ value }) => value.error.code);
  return codes.includes(error.code) ? [] : [`the code ${error.code} is not one of ${codes.join(', ')}`];
}

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

/** An answer, and what was asked for. */
export interface ContractResponse extends Omit<WireResponse, 'requestId' | 'ended'> {
  readonly method: string;
  readonly headers: Headers;
}

/** Holds answers against an OpenAPI document as it was served. */
export class ApiContract {
  readonly #document: ApiDocument;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(document: object) {
    this.#document = document as ApiDocument;
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ ...document, $id: 'api' });
  }

  /** Every operation as `GET /path`, those at other addresses, too. */
  get operations(): string[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { 'x-also-at': alsoAt = [] }]) =>
        [path, ...alsoAt].map((at) => `${method.toUpperCase()} ${at}`),
      ),
    );
  }

  /** Everything in an answer that the document does not say; empty where all is as it says. */
  breaches(answer: ContractResponse): string[] {
    const { method, path, status } = answer;
    const found = this.#find(method.toLowerCase(), path, status);
    if (found === undefined) return [`${method} ${path} ${status} is not in the document`];
    const type = answer.contentType.split(';')[0] ?? '';
    const breaches = [...strayHeaders(answer, found.response), ...this.#inBody(answer, type, found)];
    return breaches.map((what) => `${method} ${path} ${status}: ${what}`);
  }

  #inBody(answer: ContractResponse, type: string, { response, pointer }: Found): string[] {
    if (answer.text === '') return [];
    const content = response.content?.[type];
    if (content === undefined) return [`nothing is said of ${type}`];
    const schema = `${pointer}/content/${escaped(type)}/schema`;
    if (type === 'text/plain') return [];
    if (type === 'text/event-stream')
      return parseEvents(answer.text).flatMap((event) => this.#validate(event, schema));
    const body: unknown = JSON.parse(answer.text);
    return [...this.#validate(body, schema), ...unknownCode(body, content.examples)];
  }

  #validate(value: unknown, pointer: string): string[] {
    const validate = this.#ajv.getSchema(`api#${pointer}`);
    if (validate === undefined) return [`there is no schema at ${pointer}`];
    return validate(value) ? [] : [this.#ajv.errorsText(validate.errors)];
  }

  #find(method: string, path: string, status: number): Found | undefined {
    for (const [pattern, methods] of Object.entries(this.#document.paths)) {
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

function fits(path: string, pattern: string): boolean {
  return new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '.+')}$`).test(path);
}

/** Headers of ours that the document does not name. */
function strayHeaders({ headers }: ContractResponse, response: ApiResponse): string[] {
  const ours = [...headers.keys()].filter((name) =>
    /^x-(?!accel|content|frame)|^retry-after|^request-id$/.test(name),
  );
  const named = Object.keys(response.headers ?? {});
  return ours.filter((name) => !named.includes(name)).map((name) => `it has ${name}`);
}

/** An error whose code is none of those the document shows; Anthropic's have none. */
function unknownCode(body: unknown, examples: Readonly<Record<string, Example>> | undefined): string[] {
  if (examples === undefined) return [];
  const { error } = body as Example['value'];
  const codes = Object.values(examples).map(({ value }) => value.error.code);
  return codes.includes(error.code) ? [] : [`the code ${error.code} is none of ${codes.join(', ')}`];
}

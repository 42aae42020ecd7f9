import { EventEmitter, once } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { createKey } from '../../keys/secret.ts';
import { parseRegistry } from '../../models/parse-registry.ts';
import { HOUR } from '../../settings/durations.ts';
import { apiRoutes } from '../api/route-table.ts';
import type { GatewayConfig } from '../config.ts';
import type { ModelFleet } from '../engines/model-fleet.ts';
import { ClientDisconnected } from '../upstream/failure.ts';
import type { RoutedRequest } from './model-routing.ts';
import type { RequestContext } from './request-context.ts';
import { SeveralModelsRouting } from './route-to-model.ts';

const registry = parseRegistry(
  JSON.stringify({
    version: 1,
    models: [
      { id: 'chat', path: '/m/chat.gguf', defaults: { temperature: 0, max_tokens: 5 } },
      { id: 'embed', path: '/m/embed.gguf', kind: 'embeddings' },
      { id: 'new', path: '/m/new.gguf' },
    ],
  }),
  '/m',
);

/** With only what the routing reads of the models, as whole ones have engines. */
function createRouting(models = registry.models, strict = false) {
  const fleet = {
    isKnown: true,
    registry: { models, aliases: [] },
    alias: (name: string) =>
      name === 'latest'
        ? { name, choose: (_: string, may: (id: string) => boolean) => ['chat'].find(may) }
        : undefined,
    find: (id: string) =>
      id === 'new' && !isNewKnown
        ? undefined
        : { id, engines: [{}], record: models.find((model) => model.id === id) },
    nextChange: (signal: AbortSignal) => nextChange(signal),
  } as unknown as ModelFleet;
  const config = { models: { strict }, admission: { timeoutMs } } as GatewayConfig;
  return new SeveralModelsRouting(fleet, config);
}

/** Whether the engines of the model `new` are known. */
let isNewKnown: boolean;
let nextChange: ModelFleet['nextChange'];
let timeoutMs: number;
let client: AbortController;
beforeEach(() => {
  isNewKnown = false;
  nextChange = async (signal) => void (await once(new EventEmitter(), 'never', { signal }));
  timeoutMs = HOUR;
  client = new AbortController();
});

const clientWith = (key?: RequestContext['key'], headers = {}) =>
  ({ incoming: { headers }, key, controller: client }) as unknown as RequestContext;
const keyFor = (...models: string[]) => createKey('app', { models }, 0).key;

function route(path: string, body: object | string, key?: RequestContext['key'], routing = createRouting()) {
  const found = apiRoutes.find(({ paths }) => paths.includes(path));
  if (!found) throw new Error(path);
  const headers = typeof body === 'string' ? { 'content-type': 'multipart/form-data; boundary=b' } : {};
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  try {
    const routed = atOnce(routing.route(found, clientWith(key, headers), bytes));
    return { id: idOf(routed.model), alias: routed.alias, body: routed.body?.toString() };
  } catch (error) {
    return (error as { code?: string }).code;
  }
}
function atOnce(routed: RoutedRequest | Promise<RoutedRequest>): RoutedRequest {
  if (routed instanceof Promise) throw new Error('it waits');
  return routed;
}
const idOf = (model: unknown) => (model as { id: string }).id;

/** A request for a model whose engines are not known yet. */
async function askForNew(): Promise<RoutedRequest> {
  const [found] = apiRoutes.filter(({ paths }) => paths.includes('/v1/chat/completions'));
  if (!found) throw new Error('no chats');
  return createRouting().route(found, clientWith(), Buffer.from('{"model":"new"}'));
}

describe('the model of a request', () => {
  it('is the one that it names, by its id or an alias', () => {
    expect(route('/v1/chat/completions', { model: 'chat' })).toMatchObject({ id: 'chat', alias: undefined });
    expect(route('/v1/chat/completions', { model: 'latest' })).toMatchObject({ id: 'chat', alias: 'latest' });
    expect(route('/v1/chat/completions', { model: 'nobody' })).toBe('model_not_found');
    expect(route('/v1/chat/completions', { model: 5 })).toBe('invalid_value');
  });

  it('may be left out if only one model answers such requests', () => {
    expect(route('/v1/embeddings', { input: 'x' })).toMatchObject({ id: 'embed' });
    expect(route('/v1/chat/completions', {})).toBe('invalid_value');
    expect(route('/v1/chat/completions', {}, keyFor('chat'))).toMatchObject({ id: 'chat' });
  });

  it('may have any name if there is only one, unless STRICT_MODEL is set', () => {
    const one = registry.models.slice(0, 1);
    expect(route('/v1/chat/completions', { model: 'gpt-4o' }, undefined, createRouting(one))).toMatchObject({
      id: 'chat',
    });
    expect(route('/v1/chat/completions', { model: 'gpt-4o' }, undefined, createRouting(one, true))).toBe(
      'model_not_found',
    );
  });

  it('answers requests of its kind only; any model counts tokens', () => {
    expect(route('/v1/chat/completions', { model: 'embed' })).toBe('model_kind_mismatch');
    expect(route('/v1/embeddings', { model: 'chat' })).toBe('model_kind_mismatch');
    expect(route('/v1/rerank', { model: 'embed' })).toBe('model_kind_mismatch');
    expect(route('/tokenize', { model: 'embed', content: 'x' })).toMatchObject({ id: 'embed' });
  });

  it('is allowed by its id, not by that of an alias', () => {
    expect(route('/v1/chat/completions', { model: 'chat' }, keyFor('embed'))).toBe('model_not_allowed');
    expect(route('/v1/chat/completions', { model: 'latest' }, keyFor('embed'))).toBe('model_not_allowed');
    expect(route('/v1/chat/completions', { model: 'latest' }, keyFor('latest'))).toBe('model_not_allowed');
    expect(route('/v1/chat/completions', { model: 'latest' }, keyFor('chat'))).toMatchObject({ id: 'chat' });
  });

  it('is waited for if its engines are not known yet', async () => {
    nextChange = async () => {
      isNewKnown = true;
    };
    expect(idOf((await askForNew()).model)).toBe('new');
  });

  it('is not waited for beyond the timeout, nor after the client has left', async () => {
    timeoutMs = 1;
    await expect(askForNew()).rejects.toMatchObject({ code: 'model_loading' });
    timeoutMs = HOUR;
    const asked = askForNew();
    client.abort();
    await expect(asked).rejects.toThrow(ClientDisconnected);
  });

  it('is named in a field of a form', () => {
    const form = '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nchat\r\n--b--';
    expect(route('/v1/audio/transcriptions', form)).toMatchObject({ id: 'chat', body: undefined });
  });

  it('gives fields that the client has left out', () => {
    const sent = (fields: object) => {
      const routed = route('/v1/chat/completions', { model: 'chat', ...fields });
      return typeof routed === 'object' && routed.body ? JSON.parse(routed.body) : undefined;
    };
    expect(sent({})).toEqual({ model: 'chat', temperature: 0, max_tokens: 5 });
    expect(sent({ temperature: 1 })).toEqual({ model: 'chat', temperature: 1, max_tokens: 5 });
    expect(sent({ temperature: 1, max_tokens: 9 })).toBeUndefined();
  });

  it('passes on the content of its body, and half an emoji is repaired in both', () => {
    const found = apiRoutes.find(({ paths }) => paths.includes('/v1/chat/completions'));
    if (!found) throw new Error('no chats');
    const read = (body: string) => {
      const routed = atOnce(createRouting().route(found, clientWith(), Buffer.from(body)));
      return { body: routed.body?.toString(), fields: routed.fields };
    };
    const whole = { model: 'chat', temperature: 1, max_tokens: 9, user: 'x' };
    const sound = JSON.stringify(whole);
    expect(read(sound)).toEqual({ body: undefined, fields: whole });
    expect(read(sound.replace('"x"', '"x\\ud83d"'))).toEqual({
      body: sound.replace('"x"', '"x\\ufffd"'),
      fields: { ...whole, user: 'x\ufffd' },
    });
    expect(read('{"model":"chat","user":"\\ud83d"}')).toEqual({
      body: '{"model":"chat","user":"\\ufffd","temperature":0,"max_tokens":5}',
      fields: { model: 'chat', user: '\ufffd', temperature: 0, max_tokens: 5 },
    });
  });
});

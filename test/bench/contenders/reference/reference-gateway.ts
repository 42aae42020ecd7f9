/**
 * What a gateway on Hono and `node:http` costs if nothing is wasted: the measure for ours, and no product, because it trusts its
 * clients and its upstream. It does what any gateway must do for a request: an id, the API key by its SHA-256, a place at
 * the gate, the body, `JSON.parse`, a line in the log file, a counter and a histogram. It reads the variables PORT, UPSTREAM
 * (`http://127.0.0.1:PORT` or `unix:/PATH`), KEY_FILE (a key per line) and LOG_FILE.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { Bookkeeping } from './bookkeeping.ts';
import { Exchange } from './exchange.ts';
import { Gate } from './gate.ts';
import { socketClient } from './socket-client.ts';
import { undiciClient } from './undici-client.ts';

const { PORT = '', UPSTREAM = '', KEY_FILE = '', LOG_FILE = '' } = process.env;

const sha256 = (text: string) => hash('sha256', text, 'hex');
const secrets = readFileSync(KEY_FILE, 'utf8').trimEnd().split('\n');
const keyNames = new Map(secrets.map((secret, n) => [sha256(secret), `key-${n}`]));
const send = UPSTREAM.startsWith('unix:')
  ? socketClient(UPSTREAM.slice('unix:'.length))
  : undiciClient(UPSTREAM);
const gate = new Gate(4096);
const bookkeeping = new Bookkeeping(LOG_FILE);

const app = new Hono<{ Bindings: HttpBindings; Variables: { exchange: Exchange } }>();
app.use('*', async (c, next) => {
  c.set('exchange', new Exchange());
  await next();
});
app.use('/v1/*', async (c, next) => {
  const key = keyNames.get(sha256(c.req.header('authorization')?.slice('Bearer '.length) ?? ''));
  if (key === undefined) return c.json({ error: { message: 'Invalid API key' } }, 401);
  c.get('exchange').key = key;
  return next();
});
app.get('/health', (c) => c.json({ status: 'ok' }));
app.post('/v1/chat/completions', (c) => {
  const { incoming, outgoing } = c.env;
  const exchange = c.get('exchange');
  const parts: Buffer[] = [];
  incoming.on('data', (part: Buffer) => parts.push(part));
  incoming.on('end', () => {
    const body = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    exchange.model = JSON.parse(body.toString()).model;
    gate.enter(() => relay(exchange, outgoing, body));
  });
  return RESPONSE_ALREADY_SENT;
});

function relay(exchange: Exchange, response: ServerResponse, body: Buffer): void {
  // The client left while the request waited: 'close' has been emitted already.
  if (response.destroyed) {
    gate.leave();
    return;
  }
  const call = send(exchange, response, body);
  response.on('close', () => {
    call.abort(exchange);
    gate.leave();
    bookkeeping.record(exchange);
  });
}

const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
createServer({ keepAliveTimeout: 300_000, requestTimeout: 0, noDelay: true }, listener).listen({
  host: '127.0.0.1',
  port: Number(PORT),
  backlog: 4096,
});

import type { ContenderName } from './contenders/contenders.ts';
import type { Load } from './load-generator.ts';

/** A load under which contenders are compared. */
export interface ComparedLoad extends Load {
  readonly title: string;
  readonly contenders: readonly ContenderName[];
  /** It is measured this many times as long as the others. */
  readonly durationFactor?: number;
}

const all: readonly ContenderName[] = [
  'direct',
  'nginx',
  'HAProxy',
  'Portkey',
  '@fastify/http-proxy',
  'llama-corral',
  'llama-corral, unix socket',
];
const ours: readonly ContenderName[] = ['llama-corral, traced', 'llama-corral, bare'];

/** Sixteen tokens at once. */
const shortResponse = '16:0:64';
/** So short that our gateway requests it in one piece, like the others. */
const plain = { model: shortResponse, maxTokens: 16, bodyBytes: 1000, contenders: all };

export const comparedLoads = {
  'plain-1k': {
    ...plain,
    title: 'Plain, 64 connections, 1 KB',
    connections: 64,
    contenders: [...all, ...ours],
  },
  'plain-long': {
    ...plain,
    title: 'Plain, 64 connections, 1 KB, up to 512 tokens allowed: assembled from a stream',
    maxTokens: 512,
    connections: 64,
    contenders: ['nginx', 'llama-corral', 'llama-corral, unix socket'],
  },
  'plain-32k': { ...plain, title: 'Plain, 64 connections, 32 KB', connections: 64, bodyBytes: 32_000 },
  'one-connection': { ...plain, title: 'Plain, one connection', connections: 1, bodyBytes: 400 },
  'rate-100': {
    ...plain,
    title: 'Plain, 100 requests/s offered',
    connections: 64,
    rate: 100,
    contenders: ['direct', 'nginx', 'llama-corral', 'llama-corral, unix socket'],
    bodyBytes: 400,
    durationFactor: 2,
  },
  'first-event': {
    title: 'One stream at a time, the first token after 1 ms',
    contenders: all,
    model: '3:0:1:1',
    tokens: 3,
    connections: 1,
    bodyBytes: 400,
  },
  'streams-64': {
    title: '64 streams of 500 tokens, at full speed',
    contenders: all,
    model: '500:0:8',
    tokens: 500,
    connections: 64,
    bodyBytes: 1000,
  },
  'streams-512': {
    title: '512 streams of 100 tokens, one each 10 ms',
    contenders: [...all, ...ours],
    model: '100:10',
    tokens: 100,
    connections: 512,
    bodyBytes: 1000,
    durationFactor: 1.5,
  },
} as const satisfies Readonly<Record<string, ComparedLoad>>;

export type LoadName = keyof typeof comparedLoads;

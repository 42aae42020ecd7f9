import type { ContenderName } from './contenders/contenders.ts';
import type { Load } from './load-generator.ts';

/** A load under which contenders are compared. */
export interface ComparedLoad extends Load {
  readonly title: string;
  /** Measured in each round, because goals compare them. */
  readonly contenders: readonly ContenderName[];
  /** Measured in the first round only. */
  readonly forInformation?: readonly ContenderName[];
  /** It is measured this many times as long as the others. */
  readonly durationFactor?: number;
  /**
   * Those of `contenders` that a long run measures in another process in each round: two processes of the same code differ by
   * up to 10 % here, depending on when V8 compiles what.
   */
  readonly severalProcesses?: readonly ContenderName[];
}

const ours: readonly ContenderName[] = ['llama-corral', 'llama-corral, unix socket'];
const withReference: readonly ContenderName[] = ['reference', 'reference, unix socket', ...ours];
const otherGateways: readonly ContenderName[] = ['Portkey', '@fastify/http-proxy'];
const onNode: readonly ContenderName[] = ['@fastify/http-proxy', ...withReference];
const plainProxies: readonly ContenderName[] = ['direct', 'nginx', 'HAProxy'];
const ourVariants: readonly ContenderName[] = ['llama-corral, traced', 'llama-corral, bare'];

/** Sixteen tokens at once. */
const shortResponse = '16:0:64';
/** So short that our gateway requests it in one piece, like the others. */
const plain = { model: shortResponse, maxTokens: 16, bodyBytes: 1000 };

export const comparedLoads = {
  'plain-1k': {
    ...plain,
    title: 'Plain, 64 connections, 1 KB',
    connections: 64,
    contenders: [...otherGateways, ...withReference],
    forInformation: [...plainProxies, ...ourVariants],
    severalProcesses: onNode,
  },
  'plain-long': {
    ...plain,
    title: 'Plain, 64 connections, 1 KB, up to 512 tokens allowed: assembled from a stream',
    maxTokens: 512,
    connections: 64,
    contenders: ours,
    severalProcesses: ours,
  },
  'plain-32k': {
    ...plain,
    title: 'Plain, 64 connections, 32 KB',
    connections: 64,
    bodyBytes: 32_000,
    contenders: [...otherGateways, ...withReference],
    forInformation: plainProxies,
    severalProcesses: onNode,
  },
  'one-connection': {
    ...plain,
    title: 'Plain, one connection',
    connections: 1,
    bodyBytes: 400,
    contenders: [],
    forInformation: [...plainProxies, ...otherGateways, ...withReference],
  },
  'rate-100': {
    ...plain,
    title: 'Plain, 100 requests/s offered',
    connections: 64,
    rate: 100,
    contenders: ['direct', ...ours],
    bodyBytes: 400,
    durationFactor: 2,
  },
  'first-event': {
    title: 'One stream at a time, the first token after 1 ms',
    contenders: ['direct', ...withReference],
    forInformation: ['nginx', 'HAProxy', ...otherGateways],
    model: '3:0:1:1',
    tokens: 3,
    connections: 1,
    bodyBytes: 400,
  },
  'streams-64': {
    title: '64 streams of 500 tokens, at full speed',
    contenders: withReference,
    forInformation: [...plainProxies, ...otherGateways],
    model: '500:0:8',
    tokens: 500,
    connections: 64,
    bodyBytes: 1000,
  },
  'streams-512': {
    title: '512 streams of 100 tokens, one each 10 ms',
    contenders: withReference,
    forInformation: [...plainProxies, ...otherGateways, ...ourVariants],
    model: '100:10',
    tokens: 100,
    connections: 512,
    bodyBytes: 1000,
    durationFactor: 1.5,
  },
} as const satisfies Readonly<Record<string, ComparedLoad>>;

export type LoadName = keyof typeof comparedLoads;

/** The loads of a group are measured in the same rounds, because a goal compares them. */
export const loadGroups: readonly (readonly LoadName[])[] = [
  ['plain-1k', 'plain-long'],
  ['plain-32k'],
  ['one-connection'],
  ['rate-100'],
  ['first-event'],
  ['streams-64'],
  ['streams-512'],
];

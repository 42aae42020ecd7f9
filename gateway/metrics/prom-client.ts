import { createRequire } from 'node:module';
import type * as promClient from 'prom-client';

const require = createRequire(import.meta.url);

/**
 * The two classes of prom-client that are used, from files of their own: the package as a whole also loads OpenTelemetry, 2 MB
 * and 60 modules (docs/performance.md).
 */
export const Registry: typeof promClient.Registry = require('prom-client/lib/registry.js');
export type Registry = promClient.Registry;
export const Gauge: typeof promClient.Gauge = require('prom-client/lib/gauge.js');

#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Before any other code is loaded. NODE_COMPILE_CACHE names another folder; one that cannot be written changes nothing.
if (process.env.NODE_COMPILE_CACHE === undefined)
  enableCompileCache(join(import.meta.dirname, '../.cache/node-compile'));
const { main } = await import('./main.ts');
await main(process.argv.slice(2));

#!/usr/bin/env node
import { Command } from 'commander';
import packageFile from '../package.json' with { type: 'json' };
import { gatewayCommand } from './gateway-command.ts';
import { exitSoon } from './output.ts';
import { runCommand } from './run-command.ts';
import { serveCommand } from './serve/serve-command.ts';

const args = process.argv.slice(2);

const corral = new Command('corral')
  .description('Serve GGUF models: supervised llama-servers behind an OpenAI-compatible gateway.')
  .version(packageFile.version, '-V, --version')
  .addCommand(serveCommand(), { isDefault: true })
  .addCommand(gatewayCommand());

// Serving starts without loading the other commands: the first probe is due within 300 ms.
if (!['serve', 'gateway', undefined].includes(args[0])) {
  const { batchCommand } = await import('./batch/batch-command.ts');
  const { benchCommand } = await import('./bench/bench-command.ts');
  const { keysCommand } = await import('./keys/keys-command.ts');
  const { modelsCommand } = await import('./models/models-command.ts');
  const { configCommand } = await import('./config-command.ts');
  const { demoModelCommand } = await import('./demo-model/demo-model-command.ts');
  const { doctorCommand } = await import('./doctor/doctor-command.ts');
  const { storeCommand } = await import('./store/store-command.ts');
  const { runpodWorkerCommand } = await import('./runpod-worker-command.ts');
  corral
    .addCommand(keysCommand())
    .addCommand(modelsCommand())
    .addCommand(batchCommand())
    .addCommand(storeCommand())
    .addCommand(configCommand())
    .addCommand(doctorCommand())
    .addCommand(benchCommand())
    .addCommand(demoModelCommand())
    .addCommand(runpodWorkerCommand());
}

const code = await runCommand(corral, args);
if (code !== 0) process.exitCode = code;
if (process.exitCode !== undefined && process.exitCode !== 0) exitSoon();

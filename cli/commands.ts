import type { Command } from 'commander';

interface CommandEntry {
  /** That of the command itself, so that the help of all needs the code of none. */
  readonly description: string;
  readonly load: () => Promise<Command>;
}

/** The commands of `corral`, in the order of its help. Only the code of the one that runs is loaded. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  serve: {
    description: 'run llama-server behind the gateway',
    load: async () => (await import('./serve/serve-command.ts')).serveCommand(),
  },
  gateway: {
    description: 'run only the gateway, in front of llama-servers that are already running',
    load: async () => (await import('./gateway-command.ts')).gatewayCommand(),
  },
  keys: {
    description: 'create, list, change, rotate and revoke API keys, and show their usage',
    load: async () => (await import('./keys/keys-command.ts')).keysCommand(),
  },
  models: {
    description: 'list, add and remove models, load and unload them, and change aliases',
    load: async () => (await import('./models/models-command.ts')).modelsCommand(),
  },
  status: {
    description: 'show the status of a running gateway',
    load: async () => (await import('./deployment/status.ts')).statusCommand(),
  },
  requests: {
    description: 'list the requests in progress',
    load: async () => (await import('./deployment/requests.ts')).requestsCommand(),
  },
  cancel: {
    description: 'cancel a request in progress',
    load: async () => (await import('./deployment/requests.ts')).cancelCommand(),
  },
  restart: {
    description: 'restart llama-server without losing a request, with variables changed or as it is',
    load: async () => (await import('./deployment/restart.ts')).restartCommand(),
  },
  reload: {
    description: 'let a running gateway read its key file now',
    load: async () => (await import('./deployment/restart.ts')).reloadCommand(),
  },
  batch: {
    description: 'run files of requests on idle slots: submit, wait, cancel, get the results',
    load: async () => (await import('./batch/batch-command.ts')).batchCommand(),
  },
  responses: {
    description: 'list, show, export and remove stored responses',
    load: async () => (await import('./responses/responses-command.ts')).responsesCommand(),
  },
  conversations: {
    description: 'list and export stored conversations',
    load: async () => (await import('./responses/conversations-command.ts')).conversationsCommand(),
  },
  store: {
    description: 'show and remove what is stored for clients',
    load: async () => (await import('./store/store-command.ts')).storeCommand(),
  },
  launch: {
    description: 'print how to start a coding agent with this deployment, or start it',
    load: async () => (await import('./launch/launch-command.ts')).launchCommand(),
  },
  config: {
    description: 'show every variable with its value and source; secrets are masked',
    load: async () => (await import('./config-command.ts')).configCommand(),
  },
  doctor: {
    description: 'check everything that a start depends on, and suggest fixes',
    load: async () => (await import('./doctor/doctor-command.ts')).doctorCommand(),
  },
  bench: {
    description: 'benchmark any OpenAI-compatible endpoint: latency, throughput, errors',
    load: async () => (await import('./bench/bench-command.ts')).benchCommand(),
  },
  'demo-model': {
    description: 'write a tiny GGUF model with known output, for trying things out and for tests',
    load: async () => (await import('./demo-model/demo-model-command.ts')).demoModelCommand(),
  },
  'runpod-worker': {
    description: "run only the worker of RunPod's queue, in front of a gateway that is already running",
    load: async () => (await import('./runpod-worker-command.ts')).runpodWorkerCommand(),
  },
};

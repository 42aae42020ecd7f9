import { readFileSync } from 'node:fs';
import { parseBackendKey } from '../../gateway/engines/remote-backend.ts';
import { formatBackendUrl, parseBackendUrl } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';
import type { BackendEntry, ModelRecord } from '../../models/registry.ts';
import type { Finding } from './finding.ts';

const TIMEOUT_MS = 3000;

/** Whether the backends that run elsewhere respond and accept their keys. */
export async function checkBackends(models: readonly ModelRecord[]): Promise<Finding[]> {
  const backends = models.flatMap(({ id, source }) =>
    source.kind === 'backends' ? source.backends.map((backend) => ({ id, backend })) : [],
  );
  return Promise.all(backends.map(({ id, backend }) => checkBackend(id, backend)));
}

async function checkBackend(model: string, { url: written, keyFile }: BackendEntry): Promise<Finding> {
  const about = `model ${model}`;
  const address = parseBackendUrl(written);
  const url = formatBackendUrl(address);
  const bad = (message: string, fix: string): Finding => ({ about, verdict: 'bad', message, fix });
  let apiKey: string | undefined;
  try {
    apiKey = keyFile === undefined ? undefined : parseBackendKey(readFileSync(keyFile, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return bad(
      `the key of ${url}: ${keyFile} ${code === undefined ? message : `cannot be read (${code})`}`,
      fixOfKey,
    );
  }
  // It needs the key, and does not wake an engine that sleeps.
  const response = await requestBackend({ address, apiKey }, { path: '/props', timeoutMs: TIMEOUT_MS });
  if (response.outcome !== 'responded') {
    const how = response.outcome === 'timed-out' ? ` within ${TIMEOUT_MS / 1000} s` : '';
    return bad(`${url} does not respond${how}`, 'start llama-server there, or check the URL and the network');
  }
  const { status } = response;
  if (status === 401 || status === 403) {
    return keyFile === undefined
      ? bad(`${url} requires a key (${status})`, 'name the file with its key in keyFile')
      : bad(`${url} rejects the key in ${keyFile} (${status})`, fixOfKey);
  }
  if (status === 503)
    return {
      about,
      verdict: 'warning',
      message: `${url} responds, and does not serve yet (503): it may be loading`,
    };
  if (status !== 200)
    return bad(`${url} responds to /props with ${status}`, 'check that llama-server listens there');
  const key = keyFile === undefined ? 'responds' : `responds and accepts the key in ${keyFile}`;
  return { about, verdict: 'good', message: `${url} ${key}` };
}

const fixOfKey = 'write the API key of that llama-server into the file, as one line';

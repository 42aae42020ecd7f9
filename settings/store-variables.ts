import { flag, headerText, integer, type Kind, size, sizeOrOff } from './kinds.ts';
import { GiB, MiB } from './sizes.ts';
import { optional, required } from './variable.ts';

const onOrOff: Kind<boolean> = { ...flag, format: (value) => (value ? 'on' : 'off') };

const KEY_BYTES = 32;

/** A key for AES-256. Its value is written as 64 hexadecimal digits. */
const aes256Key: Kind<string> = {
  expected:
    '32 random bytes as 64 hexadecimal digits or in base64, such as the output of openssl rand -hex 32',
  parse(text) {
    if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
    const bytes = Buffer.from(text, 'base64');
    return /^[\w+/-]{43}=?$/.test(text) && bytes.length === KEY_BYTES ? bytes.toString('hex') : undefined;
  },
  format: (value) => value,
};

/** The variables of files, batches and whatever else is kept on disk for clients. */
export const storeVariables = {
  STORE: required(
    'Store',
    onOrOff,
    false,
    'Keep files, batches, conversations and responses of `/v1/responses` in `$DATA_DIR`. This writes prompts and answers to disk.',
  ),
  STORE_KEY: optional(
    'Store',
    aes256Key,
    'Encrypt the contents of files, responses and conversations with this key (AES-256-GCM): 32 bytes in hexadecimal or base64, as `openssl rand -hex 32` prints them. What is lost with the key is lost for good.',
    { computedDefault: 'not encrypted', secret: true },
  ),
  MAX_FILE_SIZE: required('Store', size(1, 1024 * GiB), 200 * MiB, 'Largest file that a client may upload.'),
  STORE_RETENTION_DAYS: required(
    'Store',
    integer(1, 100_000),
    30,
    'Files without an expiry of their own, ended batches and responses, and conversations that were not used, are removed after so many days.',
  ),
  STORE_MAX_SIZE: required(
    'Store',
    size(1, 1024 * 1024 * GiB),
    20 * GiB,
    'Disk space for all files, responses and conversations together. Uploads beyond it get 507.',
  ),
  STORE_MAX_SIZE_PER_KEY: required(
    'Store',
    sizeOrOff(1024 * 1024 * GiB),
    0,
    'Disk space for the files, responses and conversations of one key. Uploads beyond it get 413. 0 turns the limit off.',
  ),
  MAX_BATCHES_PER_KEY: required(
    'Store',
    integer(0, 1_000_000),
    100,
    'Batches of one key that have not ended. New ones beyond it get 429. 0 turns the limit off.',
  ),
  BATCH_SLOTS: optional(
    'Store',
    integer(1, 100_000),
    'Slots of one engine that batches may use while no other request needs them.',
    { computedDefault: 'all but one; the only one, if there is no other' },
  ),
  BATCH_KEEPS_AWAKE: required(
    'Store',
    flag,
    true,
    'A batch or a background response that has not ended counts as activity: `IDLE_SHUTDOWN_SECONDS` waits for its end.',
  ),
  RUNNER_KEY: optional(
    'Store',
    headerText,
    'For the gateway and the process that runs batches: shared secret that identifies the latter.',
    { computedDefault: 'generated at each start by `corral serve`', secret: true },
  ),
} as const;

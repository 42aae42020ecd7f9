type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What llama-server may see of our environment. An allow-list, because each of its options has a variable of its own
 * (`LLAMA_ARG_…`, `AIP_…`) and a stray one would reconfigure it silently; platform tokens are none of its business.
 */
const passed = new Set(
  ['PATH HOME USER TMPDIR TZ LANG LC_ALL LC_CTYPE LD_LIBRARY_PATH DYLD_LIBRARY_PATH LLAMA_CACHE']
    .concat('HF_HOME HF_HUB_CACHE HF_ENDPOINT MODEL_ENDPOINT XDG_CACHE_HOME SSL_CERT_FILE SSL_CERT_DIR')
    .concat('HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy')
    .flatMap((names) => names.split(' ')),
);
const passedFamilies = /^(CUDA|NVIDIA|GGML|OMP|KMP|GOMP|HIP|ROCR|HSA|VK)_/;

interface Secrets {
  readonly apiKey: string;
  /** Only where llama-server downloads a model itself. */
  readonly hfToken: string | undefined;
}

export function engineEnvironment(env: Environment, { apiKey, hfToken }: Secrets): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (passed.has(entry[0]) || passedFamilies.test(entry[0])),
  );
  return {
    ...Object.fromEntries(kept),
    ...(hfToken !== undefined && { HF_TOKEN: hfToken }),
    LLAMA_API_KEY: apiKey,
  };
}

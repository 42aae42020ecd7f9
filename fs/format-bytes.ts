const MiB = 1024 ** 2;

/** Such as `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const gib = bytes / 1024 ** 3;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${(bytes / MiB).toFixed(1)} MiB`;
}

import { roundUp } from './durations.ts';

/** Sizes in bytes. */
export const MiB = 1024 ** 2;
export const GiB = 1024 ** 3;

const sizeUnits: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: MiB,
  gib: GiB,
};

/** Reads `10485760`, `10MB` or `1.5 GiB`. Undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?i?b)?$/i.exec(text);
  const unit = match && sizeUnits[(match[2] ?? '').toLowerCase()];
  return match && unit ? roundUp(Number(match[1]), unit) : undefined;
}

/** In the largest unit that fits without a fraction: `10MiB`. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    const one = sizeUnits[unit.toLowerCase()] ?? 1;
    if (bytes !== 0 && bytes % one === 0) return `${bytes / one}${unit}`;
  }
  return String(bytes);
}

/** Rounded, for people: `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const gib = bytes / GiB;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${(bytes / MiB).toFixed(1)} MiB`;
}

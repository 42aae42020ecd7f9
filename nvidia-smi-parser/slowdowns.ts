/** The bits of NVML's clocks event reasons, which nvidia-smi prints as a hexadecimal mask. */
const bits = {
  idle: 0x1,
  application_clocks: 0x2,
  software_power_cap: 0x4,
  hardware_slowdown: 0x8,
  sync_boost: 0x10,
  software_thermal: 0x20,
  hardware_thermal: 0x40,
  hardware_power_brake: 0x80,
  display_clocks: 0x100,
} as const;

export type Slowdown = keyof typeof bits;

export const slowdowns = Object.keys(bits) as readonly Slowdown[];

/** Undefined for what is no mask. Bits that newer drivers may set are left out. */
export function parseSlowdowns(mask: string): readonly Slowdown[] | undefined {
  if (!/^0x[\da-f]{1,16}$/i.test(mask)) return undefined;
  const value = BigInt(mask);
  return slowdowns.filter((slowdown) => (value & BigInt(bits[slowdown])) !== 0n);
}

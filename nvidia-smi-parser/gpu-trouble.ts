/**
 * Why samples are missing.
 * absent: nvidia-smi was not found · no-driver, driver-mismatch, no-devices, gpu-lost, no-permission: reported by
 * nvidia-smi · hung: it stopped writing · ended: it exited for an unknown reason.
 */
export type GpuTrouble =
  | 'absent'
  | 'no-driver'
  | 'driver-mismatch'
  | 'no-devices'
  | 'gpu-lost'
  | 'no-permission'
  | 'hung'
  | 'ended';

/** Messages of the drivers since about version 340, on stdout or stderr. */
const patterns: readonly (readonly [RegExp, GpuTrouble])[] = [
  [
    /Driver\/library version mismatch|NVML library version is too old|RM has detected an NVML\/RM/i,
    'driver-mismatch',
  ],
  [/couldn't communicate with the NVIDIA driver|couldn't find libnvidia-ml|Driver Not Loaded/i, 'no-driver'],
  [/No devices were found|no NVIDIA GPU/i, 'no-devices'],
  [/GPU is lost|fallen off the bus|Unable to determine the device handle|GPU requires reset/i, 'gpu-lost'],
  [/Insufficient Permissions/i, 'no-permission'],
  [/Failed to initialize NVML/i, 'no-driver'],
];

/** Undefined if the line contains no known error message. */
export function parseTrouble(line: string): GpuTrouble | undefined {
  return patterns.find(([pattern]) => pattern.test(line))?.[1];
}

/** The exit codes of nvidia-smi's manual that have a known reason. */
const exitCodes: Readonly<Record<number, GpuTrouble>> = {
  4: 'no-permission',
  6: 'no-devices',
  9: 'no-driver',
  12: 'no-driver',
  13: 'driver-mismatch',
  15: 'gpu-lost',
};

export function troubleFromExitCode(code: number | null): GpuTrouble | undefined {
  return code === null ? undefined : exitCodes[code];
}

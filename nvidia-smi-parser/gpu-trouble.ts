/**
 * Why no figures come.
 * absent: there is no nvidia-smi · no-driver, driver-mismatch, no-devices, gpu-lost, no-permission: what it says ·
 * hung: it says nothing any more · ended: it ends for no reason that we know.
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

/** The words of the drivers since about 340, on stdout as well as on stderr. */
const signs: readonly (readonly [RegExp, GpuTrouble])[] = [
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

/** Undefined where the line tells of no trouble that we know. */
export function parseTrouble(line: string): GpuTrouble | undefined {
  return signs.find(([sign]) => sign.test(line))?.[1];
}

/** The exit codes of nvidia-smi's manual that say more than that it ended. */
const codes: Readonly<Record<number, GpuTrouble>> = {
  4: 'no-permission',
  6: 'no-devices',
  9: 'no-driver',
  12: 'no-driver',
  13: 'driver-mismatch',
  15: 'gpu-lost',
};

export function troubleFromExitCode(code: number | null): GpuTrouble | undefined {
  return code === null ? undefined : codes[code];
}

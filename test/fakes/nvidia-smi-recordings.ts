/**
 * Real output of nvidia-smi, of many cards, drivers and faults, each with its source. Recordings with other columns are reduced
 * to ours, cell by cell, in the order of `fullQuery` (or of the given names).
 */
export interface Recording {
  readonly of: string;
  /** The source. */
  readonly source: string;
  readonly lines: readonly string[];
  readonly exitCode?: number;
}

const captures = 'utkuozdemir/nvidia_gpu_exporter, internal/captures/linux-x86_64__';
const uuid = 'GPU-00000000-0000-0000-0000-000000000000';

/** One healthy card each; with units if the recording had them. */
export const cards = {
  h200WithMig: {
    of: 'H200 cut by MIG, driver 610.43.02',
    source: `${captures}nvidia-h200-mig__610.43.02.txt`,
    lines: [
      `0, ${uuid}, NVIDIA H200, 610.43.02, [N/A], [N/A], 44 MiB, 143771 MiB, 40, 39, 130.44 W, 700.00 W, 1980 MHz, 3201 MHz, [N/A], 0x0000000000000000, 0, 0, Enabled, None`,
    ],
  },
  h100UnderLoad: {
    of: 'H100 80GB HBM3 at work, driver 590.48.01',
    source: `${captures}nvidia-h100-80gb-hbm3__590.48.01.txt`,
    lines: [
      `0, ${uuid}, NVIDIA H100 80GB HBM3, 590.48.01, 100 %, 11 %, 19818 MiB, 81559 MiB, 59, 54, 631.95 W, 700.00 W, 1980 MHz, 2619 MHz, [N/A], 0x0000000000000000, 0, 0, Disabled, None`,
    ],
  },
  l40sUnderLoad: {
    of: 'L40S at work, which cannot be cut by MIG and has no fan, driver 595.80',
    source: `${captures}nvidia-l40s__595.80.txt`,
    lines: [
      `0, ${uuid}, NVIDIA L40S, 595.80, 9 %, 2 %, 1235 MiB, 46068 MiB, 54, N/A, 110.23 W, 350.00 W, 2520 MHz, 9001 MHz, [N/A], 0x0000000000000000, 0, 0, [N/A], None`,
    ],
  },
  rtx2080OnWindowsDriver: {
    of: 'GeForce RTX 2080 SUPER, driver 471.11, which knows clocks_throttle_reasons and no gpu_recovery_action',
    source: 'utkuozdemir/nvidia_gpu_exporter, samples/sample-output.csv',
    lines: [
      '0, GPU-df6e7a7c-7314-46f8-abc4-b88b36dcf3aa, NVIDIA GeForce RTX 2080 SUPER, 471.11, 2 %, 10 %, 876 MiB, 8192 MiB, 36, N/A, 32.70 W, 250.00 W, 111 MHz, 267 MHz, 38 %, 0x0000000000000001, [N/A], [N/A], [N/A], [N/A]',
    ],
  },
  gtx770: {
    of: 'GeForce GTX 770, a driver of 2018 that says [Not Supported]',
    source: 'tutulino/Megaminer, issue 235',
    lines: [
      '0, [Not Supported], GeForce GTX 770, [Not Supported], [Not Supported], [Not Supported], [Not Supported], [Not Supported], 52, [Not Supported], [Not Supported], [Not Supported], [Not Supported], [Not Supported], 52 %, [Not Supported], [Not Supported], [Not Supported], [Not Supported], [Not Supported]',
    ],
  },
  rtx2080tiWithUnknownError: {
    of: 'GeForce RTX 2080 Ti, driver 442.19, power.default_limit [Unknown Error]',
    source: 'Quake4/MindMiner, issue 627 (the cell of the limit is in the place of ours)',
    lines: [
      '0, [N/A], GeForce RTX 2080 Ti, 442.19, 100, 37, [N/A], [N/A], 56, [N/A], 228.82, [Unknown Error], 1560, 6800, 56, [N/A], [N/A], [N/A], [N/A], [N/A]',
    ],
  },
  a800WithMig: {
    of: 'A800-SXM4-80GB with MIG, driver 535.86.10',
    source: 'utkuozdemir/nvidia_gpu_exporter, issue 203 (from the table view)',
    lines: [
      '0, [N/A], NVIDIA A800-SXM4-80GB, 535.86.10, [N/A], [N/A], 36537, 81920, 33, [N/A], 87.00, 400.00, [N/A], [N/A], [N/A], 0x0000000000000000, [N/A], [N/A], Enabled, [N/A]',
    ],
  },
} as const satisfies Record<string, Recording>;

/** Its output without a GPU to show. */
export const faults = {
  noDriver: {
    of: 'a kernel without the module',
    source: 'GoogleCloudPlatform/compute-gpu-installation, pull request 18; exit code from the manual',
    lines: [
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.",
      '',
    ],
    exitCode: 9,
  },
  mismatch: {
    of: 'a driver updated under a running system',
    source: 'tinygrad/open-gpu-kernel-modules, issue 47',
    lines: ['Failed to initialize NVML: Driver/library version mismatch', 'NVML library version: 570.124'],
    exitCode: 18,
  },
  noDevices: {
    of: 'a driver that sees no card',
    source: 'JackHack96/dell-xps-9570-ubuntu-respin, issue 125; exit code from the manual',
    lines: ['No devices were found'],
    exitCode: 6,
  },
  lost: {
    of: 'a card fallen off the bus (Xid 79), another still there',
    source: 'reports of two-card machines: a row, and these words in the place of the other',
    lines: [
      `0, ${uuid}, NVIDIA GeForce RTX 3060, 580.95.05, 0, 0, 1, 12288, 40, [N/A], 43.33, 170.00, 210, 405, 0, 0x0000000000000001, [N/A], [N/A], [N/A], None`,
      'Unable to determine the device handle for GPU1: 0000:0A:00.0: GPU is lost.  Reboot the system to recover this GPU',
    ],
    exitCode: 15,
  },
  nvmlUnknownError: {
    of: 'a container that has lost its devices to a cgroup reload',
    source: 'NVIDIA/nvidia-docker, issues on "Failed to initialize NVML: Unknown Error"',
    lines: ['Failed to initialize NVML: Unknown Error'],
    exitCode: 255,
  },
  unknownName: {
    of: 'a driver that does not know a column',
    source: 'plambe/zabbix-nvidia-smi-multi-gpu, issue 17; exit code from the manual',
    lines: ['Field "clocks_event_reasons.active" is not a valid field to query.', ''],
    exitCode: 2,
  },
} as const satisfies Record<string, Recording>;

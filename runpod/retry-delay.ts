/** The wait after so many failures in a row, ms: 1, 2, 4 … 30 s. */
export function retryDelay(failures: number): number {
  return Math.min(1000 * 2 ** (failures - 1), 30_000);
}

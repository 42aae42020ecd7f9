import * as z from 'zod';

/**
 * llama-server reports its load to the process that started it if this variable is set, as its router does for its children;
 * it then also ends when its stdin is closed. Older builds ignore the variable or have no progress in their reports.
 */
export const reportingEnvironment = { LLAMA_SERVER_ROUTER_PORT: '1' } as const;

const prefix = 'cmd_child_to_router:';
const statePrefix = `${prefix}state:`;

export const isStateReport = (line: string) => line.startsWith(prefix);

const loadingReport = z.object({
  state: z.literal('loading'),
  payload: z.object({ stages: z.array(z.string()).min(1), current: z.string(), value: z.number() }),
});

/**
 * How much of the model is loaded, 0 to 1, by a report of llama-server; undefined for other reports. The stages, such as the
 * model and its multimodal projector, count alike.
 */
export function parseLoadProgress(line: string): number | undefined {
  if (!line.startsWith(statePrefix)) return undefined;
  const { data } = loadingReport.safeParse(parseJson(line.slice(statePrefix.length)));
  if (data === undefined) return undefined;
  const { stages, current, value } = data.payload;
  const done = Math.max(0, stages.indexOf(current));
  return Math.min(1, (done + Math.min(Math.max(value, 0), 1)) / stages.length);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { z } from 'zod';

/** One piece of work from the queue. */
export interface Job {
  readonly id: string;
  /** Whatever came: a job without an input fails, so that its client hears of it. */
  readonly input: unknown;
}

/** What the queue has handed out. */
export interface ParsedJobs {
  readonly jobs: readonly Job[];
  /** How many had no id, and so cannot even be failed. */
  readonly unreadable: number;
}

const job = z.object({ id: z.string().min(1), input: z.unknown().optional() });
const stopList = z.object({ jobsToStop: z.array(z.unknown()) });

/** One job or a list of them; an answer that is neither holds none. */
export function parseJobs(answer: unknown): ParsedJobs {
  const entries = (Array.isArray(answer) ? answer : [answer]).filter((entry) => isObject(entry));
  const jobs = entries.flatMap((entry) => {
    const { data } = job.safeParse(entry);
    return data === undefined ? [] : [{ id: data.id, input: data.input }];
  });
  const isEmpty = entries.every((entry) => Object.keys(entry as object).length === 0);
  return { jobs, unreadable: isEmpty ? 0 : entries.length - jobs.length };
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The ids of jobs that are no longer wanted; an entry that is none takes no other along. */
export function parseStopList(answer: unknown): readonly string[] {
  const entries = stopList.safeParse(answer).data?.jobsToStop ?? [];
  return entries.filter((id): id is string => typeof id === 'string');
}

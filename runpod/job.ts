import { z } from 'zod';

/** One piece of work from the queue. */
export interface Job {
  readonly id: string;
  readonly input: unknown;
}

const job = z.object({ id: z.string().min(1), input: z.unknown() });
const stopList = z.object({ jobsToStop: z.array(z.string()) });

/** One job or a list of them; what is none, for lack of an id or an input, is left out. */
export function readJobs(answer: unknown): readonly Job[] {
  return (Array.isArray(answer) ? answer : [answer]).flatMap((entry) => {
    const read = job.safeParse(entry);
    const isJob = read.success && read.data.input !== undefined && read.data.input !== null;
    return isJob ? [{ id: read.data.id, input: read.data.input }] : [];
  });
}

/** The ids of jobs that are no longer wanted. */
export function readStopList(answer: unknown): readonly string[] {
  return stopList.safeParse(answer).data?.jobsToStop ?? [];
}

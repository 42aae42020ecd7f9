/** The reason for which a job is broken off: RunPod no longer wants it, or this worker has to end. */
export class JobStopped extends Error {
  override readonly name = 'JobStopped';
  readonly by: 'queue' | 'worker';

  constructor(by: JobStopped['by']) {
    super(by === 'queue' ? 'the job was cancelled' : 'this worker ended before the job was done');
    this.by = by;
  }
}

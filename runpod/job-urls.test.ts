import { describe, expect, it } from 'vitest';
import { jobUrls } from './job-urls.ts';

const base = 'https://api.runpod.ai/v2/ep';
const urls = jobUrls(
  {
    take: `${base}/job-take/$ID?gpu=NVIDIA+L4`,
    output: `${base}/job-done/$RUNPOD_POD_ID/$ID?gpu=NVIDIA+L4`,
    stream: `${base}/job-stream/$RUNPOD_POD_ID/$ID?gpu=NVIDIA+L4`,
    ping: `${base}/ping/$RUNPOD_POD_ID?gpu=NVIDIA+L4`,
  },
  'pod-1',
);

describe('the URLs of the queue', () => {
  it('take one job, or several at once', () => {
    expect(urls.take(1, false)).toBe(`${base}/job-take/pod-1?gpu=NVIDIA+L4&job_in_progress=0`);
    expect(urls.take(4, true)).toBe(
      `${base}/job-take-batch/pod-1?gpu=NVIDIA+L4&batch_size=4&job_in_progress=1`,
    );
  });

  it('include one for the stop list', () => {
    expect(urls.stop).toBe(`${base}/job-stop/pod-1?gpu=NVIDIA+L4`);
  });

  it('for posting have the job for $ID and the worker for $RUNPOD_POD_ID', () => {
    expect(urls.output('job-9')).toBe(`${base}/job-done/pod-1/job-9?gpu=NVIDIA+L4&isStream=true`);
    expect(urls.stream('job-9')).toBe(`${base}/job-stream/pod-1/job-9?gpu=NVIDIA+L4&isStream=false`);
  });

  it('of a heartbeat name the running jobs, if there are any', () => {
    expect(urls.ping(['a', 'b'], 'v1')).toBe(
      `${base}/ping/pod-1?gpu=NVIDIA+L4&job_id=a%2Cb&runpod_version=v1`,
    );
    expect(urls.ping([], 'v1')).toBe(`${base}/ping/pod-1?gpu=NVIDIA+L4&runpod_version=v1`);
  });

  it('of an unhealthy worker give the reason, shortened', () => {
    const url = new URL(urls.unhealthy({ check: 'engine-failed', reason: 'x'.repeat(300) }, 'v1') ?? '');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      ...{ status: 'unhealthy', check: 'engine-failed', reason: 'x'.repeat(256), runpod_version: 'v1' },
    });
  });

  it('for taking have the worker for both placeholders, and get a query if there is none', () => {
    const take = 'http://host/take/$RUNPOD_POD_ID/$ID';
    const plain = jobUrls({ take, output: take, stream: take, ping: undefined }, 'w');
    expect(plain.take(4, false)).toBe('http://host/take/w/w?job_in_progress=0');
    expect([plain.stop, plain.ping([], '1')]).toEqual([undefined, undefined]);
  });

  it('cannot be changed by the id of a job', () => {
    expect(urls.output('../x?a=$&')).toContain('/job-done/pod-1/..%2Fx%3Fa%3D%24%26?');
  });
});

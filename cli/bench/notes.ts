import type { Report, StepReport } from './report.ts';

/** What a reader of the figures has to know, in sentences. */
export function reportNotes({ steps, isInterrupted }: Report): string[] {
  const about = (holds: (step: StepReport) => boolean, words: string) => {
    const names = steps.filter(holds).map(({ name }) => name);
    return names.length === 0 ? [] : [`${names.join('; ')}: ${words}`];
  };
  return [
    ...(isInterrupted ? ['Interrupted: these are partial results.'] : []),
    ...about(({ isPartial }) => isPartial, 'interrupted before the end.'),
    ...about(
      ({ client }) => client.wasBottleneck,
      'this client or its machine was too busy to measure well; the endpoint may be faster. Reduce the load, or measure from another machine.',
    ),
    ...about(
      ({ requests }) => requests.done === 0 && requests.failed > 0,
      'no request completed; see the errors.',
    ),
    ...about(
      ({ requests, requestsPerSecond }) => requests.done > 0 && requestsPerSecond === 0,
      'no request completed within the duration; increase --duration to get a request rate.',
    ),
    ...about(
      ({ tokens, requests }) => tokens.from === 'counted' && requests.done > 0,
      'the endpoint reports no usage; each chunk of a stream is counted as one token.',
    ),
    ...about(
      ({ requests }) => requests.resent > 0,
      'some requests were resent because the server had closed the kept-alive connection; latency counts from the first attempt.',
    ),
  ];
}

import type { Report, StepReport } from './report.ts';

/** What a reader of the figures has to know, in sentences. */
export function reportNotes({ steps, isInterrupted }: Report): string[] {
  const about = (holds: (step: StepReport) => boolean, words: string) => {
    const names = steps.filter(holds).map(({ name }) => name);
    return names.length === 0 ? [] : [`${names.join('; ')}: ${words}`];
  };
  return [
    ...(isInterrupted ? ['Broken off: these are the figures until then.'] : []),
    ...about(({ isPartial }) => isPartial, 'broken off before its end.'),
    ...about(
      ({ client }) => client.wasBottleneck,
      'this program, or the machine it runs on, was too busy to measure well, so the endpoint may be faster: offer less, or measure from a machine of its own.',
    ),
    ...about(
      ({ requests }) => requests.done === 0 && requests.failed > 0,
      'no request was answered; the errors say why.',
    ),
    ...about(
      ({ requests, requestsPerSecond }) => requests.done > 0 && requestsPerSecond === 0,
      'no answer ended within the duration: make --duration longer for a rate of requests.',
    ),
    ...about(
      ({ tokens, requests }) => tokens.from === 'counted' && requests.done > 0,
      'the endpoint tells no usage; each piece of a stream is counted as a token.',
    ),
    ...about(
      ({ requests }) => requests.resent > 0,
      'some requests were sent again at once, as the server had closed the kept connection; the time counts from the first.',
    ),
  ];
}

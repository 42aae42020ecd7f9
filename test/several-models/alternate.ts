import { storyText } from '../../cli/demo-model/stories.ts';
import { taleText } from '../../cli/demo-model/tales.ts';
import { type Chat, type ChatOutcome, type ChatServer, sendChat } from './chat-client.ts';
import { exactly, type Figure } from './report.ts';

/** What two clients saw that asked two models in turn. */
export interface Alternation {
  readonly requests: number;
  readonly outcomes: Readonly<Record<ChatOutcome, number>>;
  readonly problems: readonly string[];
  /** The duration of the whole run, in seconds. */
  readonly seconds: number;
  /** The longest time of one request. */
  readonly longest: number;
}

const chats: readonly Omit<Chat, 'stream'>[] = [
  { model: 'guide', content: 'About keys', expected: storyText('keys') },
  { model: 'tales', content: 'Of the harbour', expected: taleText('harbour') },
];
const longChats: readonly Omit<Chat, 'stream'>[] = [
  { model: 'guide', content: 'A long story', expected: storyText('long story') },
  { model: 'tales', content: 'A long story', expected: taleText('long story') },
];

/** One is long of each 16, and each second turn of a client is a stream. */
export function chatOfTurn(client: number, turn: number): Chat {
  const list = turn % 16 === 4 + client ? longChats : chats;
  const chat = list[(client + turn) % list.length];
  if (!chat) throw new Error('no chat');
  return { ...chat, stream: turn % 4 < 2 };
}

/** Two clients send requests without a pause, each to the other model than its last one. */
export async function alternate(
  server: ChatServer,
  requests: number,
  onProgress: (line: string) => void,
): Promise<Alternation> {
  const outcomes = { exact: 0, wrong: 0, cut: 0, error: 0 };
  const problems: string[] = [];
  let [sent, longest] = [0, 0];
  const since = performance.now();
  const runClient = async (client: number) => {
    for (let turn = 0; sent < requests; turn++) {
      sent += 1;
      const { outcome, problem, ms } = await sendChat(server, chatOfTurn(client, turn));
      outcomes[outcome] += 1;
      if (problem !== undefined) problems.push(problem);
      longest = Math.max(longest, ms / 1000);
      const done = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
      if (done % 20 === 0) onProgress(`${server.origin}: ${done} of ${requests}`);
    }
  };
  await Promise.all([runClient(0), runClient(1)]);
  return { requests: sent, outcomes, problems, seconds: (performance.now() - since) / 1000, longest };
}

/** Figures that any server has. */
export function alternationFigures(name: string, { outcomes, ...run }: Alternation, hasGoals: boolean) {
  const count = (label: string, value: number, wanted: number): Figure => ({
    name: `${name}: ${label}`,
    value,
    ...(hasGoals && { goal: exactly(wanted) }),
  });
  return [
    count('exact answers', outcomes.exact, run.requests),
    count('errors', outcomes.error, 0),
    count('cut answers', outcomes.cut, 0),
    count('wrong texts', outcomes.wrong, 0),
    { name: `${name}: time`, value: run.seconds, unit: 's' },
    { name: `${name}: longest request`, value: run.longest, unit: 's' },
  ];
}

/**
 * A story belongs to a topic, which is selected by a keyword in the last user message. The first story of a model is
 * told if there is no keyword.
 */
export interface Story<T extends string = string> {
  readonly topic: T;
  /** The first letters of keywords, in lower case; empty for the default story. */
  readonly keywords: readonly string[];
  /** Reasoning before the text. */
  readonly thought?: string;
  readonly text: string;
}

export const topics = [
  'welcome',
  'models',
  'keys',
  'limits',
  'streams',
  'survival',
  'dashboard',
  'long story',
  'emoji',
  'thinking',
] as const;
export type Topic = (typeof topics)[number];

const horses = 1600;

const longStory = [
  'Once upon a time there was a corral with many gates, and every evening its keeper counted the herd as it came home.',
  ...Array.from({ length: horses }, (_, n) => `Horse ${n + 1}, by gate ${n + 1}.`),
  'Then the keeper closed the last gate, and not one was missing.',
].join('\n');

/** The stories of the demo model. They are ASCII, except one about other characters. */
export const stories: readonly Story<Topic>[] = [
  {
    topic: 'welcome',
    keywords: [],
    text: `Hello from llama-corral! I am the demo: a few megabytes of numbers that somebody wrote down instead of training them. A real llama-server speaks them to you, through the real gateway, so whatever works here will work with a GGUF file of yours.

Ask me about
- models: how to serve your own
- keys: how to let people in
- limits: how to share the machine fairly
- streams: how answers arrive
- survival: what happens when the engine dies
- dashboard: where to watch it all

I can also tell you a long story, show you emoji, and think before I speak.`,
  },
  {
    topic: 'models',
    keywords: ['model', 'gguf'],
    text: `To serve your own, stop me with Ctrl-C and start again with one variable set:
- MODEL_PATH=/path/to/file.gguf npm start
- MODEL_NAME=file.gguf looks into MODELS_DIR, which is data/models unless you say otherwise
- HF_REPO=user/repo:Q4_K_M fetches from Hugging Face, with HF_TOKEN if the repository is private
- MODEL_URL=https://example.com/file.gguf fetches from anywhere else
CTX is the context of one request and PARALLEL how many are answered side by side; leave both alone and they are fitted to your memory. If something is wrong, run corral doctor: it names every mistake at once, and how to mend it.`,
  },
  {
    topic: 'keys',
    keywords: ['key', 'secret', 'password'],
    text: `Everyone who calls this endpoint has one of their own, and the file holds only fingerprints.
- corral keys create alice makes one and shows its secret a single time
- corral keys list tells who has been let in
- corral keys rotate alice --overlap 24h gives her a new one while the old one still opens the door for a day
- corral keys disable alice shuts her out within a second, and nobody needs to restart anything
Nothing else tells her apart from strangers, so she should treat it as she treats her purse. Copies of the file are harmless: what it holds cannot be turned back into what she sends. Changes take effect at once, even those made by hand with an editor, and a broken edit leaves the last good set in force.
Send it as a bearer token, as x-api-key, or as api-key. On serverless machines without a disk, put them into API_KEYS.`,
  },
  {
    topic: 'limits',
    keywords: ['limit', 'quota', 'queue'],
    text: `The engine answers as many requests together as it has slots. Others wait, each caller in a lane apart, and the lanes take turns, so a caller with a thousand requests delays somebody's only one by a single turn.
- MAX_REQUESTS_PER_MINUTE and MAX_TOKENS_PER_MINUTE hold for each caller
- MAX_QUEUE_SIZE says how many may wait, QUEUE_TIMEOUT how patiently
- --priority high, normal or low, when you create a caller, weighs its turns
Whoever has to be sent away gets an honest Retry-After, and official clients obey it without your doing anything.`,
  },
  {
    topic: 'streams',
    keywords: ['stream', 'sse'],
    text: `Set stream to true and you see me speak word by word, as you may be doing now. While you wait in line, while weights are read from disk, while a long prompt is digested, a comment arrives every ten seconds, so that no proxy takes the silence for death. Close the connection and I fall silent at once: the slot goes to whoever is next. If an answer cannot be finished you are told so by an error event, never by a mere end. Set stream_options.include_usage when you would like to know what it cost.`,
  },
  {
    topic: 'survival',
    keywords: ['surviv', 'crash', 'kill', 'die'],
    text: `Try it! Find the process called llama-server and send it SIGKILL while I am talking. You will notice a pause, then I go on from the very letter where I was interrupted, because my supervisor has started another engine and the gateway has handed it what I had said so far. Whoever was waiting has kept their place. Should it happen five times in five minutes, the supervisor gives up and says why, rather than burn money on a broken machine. A gateway that falls over, on the other hand, never unloads anything: it is back within a blink.`,
  },
  {
    topic: 'dashboard',
    keywords: ['dashboard', 'metric', 'monitor'],
    text: `Open the base URL in a browser, leave out the /v1, and look around: who waits, who is being answered, how fast, and how full the GPU is. Prometheus finds numbers under /metrics, with a caller whose scope permits it. Platforms ask the other port: /ping for RunPod, /readyz and /livez for Kubernetes, /status for the curious. Each request leaves one line in the log, found again by the x-request-id of its answer.`,
  },
  { topic: 'long story', keywords: ['long story', 'long tale'], text: longStory },
  {
    topic: 'emoji',
    keywords: ['emoji', 'unicode', 'utf-8'],
    text: `Some characters take several bytes, and I send each of them in pieces: a café in Zürich, a piñata, a train to Århus, naïve poets; in Greek λόγος, in Russian мир, in Arabic سلام, in Hindi नम, in Chinese 漢字, in Japanese ひらカナ, in Korean 한글; then 🐴 gallops, 🌵 grows prickly, 🤠 salutes, and 🏁 ends the show. If you can read all of these without one strange box or question mark, nothing between us has torn them apart.`,
  },
  {
    topic: 'thinking',
    keywords: ['think', 'reason'],
    thought: `Someone would like to watch me ponder. A written-down mind cannot ponder, yet it can show which part of a reply is meant for whom: this part belongs into reasoning_content.`,
    text: `I have pondered. What you read here came as content; what went before came as reasoning_content, and a chat program folds it away. Some engines call it chain of thought. Mine is a chain indeed: each link knows precisely the link that follows it, which is why I can be resumed anywhere, and why tests can demand my exact words.`,
  },
];

/** The exact output of the demo model for `topic`, to the byte. */
export function storyText(topic: Topic): string {
  return findStory(stories, topic).text;
}

/** The reasoning before it; empty for none. */
export function storyThought(topic: Topic): string {
  return findStory(stories, topic).thought ?? '';
}

export function findStory<T extends string>(stories: readonly Story<T>[], topic: T): Story<T> {
  const story = stories.find((it) => it.topic === topic);
  if (!story) throw new Error(`the demo model has no story about ${topic}`);
  return story;
}

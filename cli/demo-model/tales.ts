import { findStory, type Story } from './stories.ts';

/*
 * The stories of the second demo model. Its long story and its reasoning have the keywords of the first model, so that
 * both answer the same question, each in its own words.
 */

export const taleTopics = ['tales', 'harbour', 'desert', 'winter', 'long story', 'thinking'] as const;
export type TaleTopic = (typeof taleTopics)[number];

/** Enough for a test to interrupt it. */
const lamps = 1200;

const longTale = [
  'Long ago a town lit its piers at dusk, and a boy with a ladder went out to every lamp before the fog came in.',
  ...Array.from({ length: lamps }, (_, n) => `Lamp ${n + 1}, on pier ${n + 1}.`),
  'Then he put down his ladder, looked back at the lights, and saw that none was dark.',
].join('\n');

export const tales: readonly Story<TaleTopic>[] = [
  {
    topic: 'tales',
    keywords: [],
    text: `Good evening, I am the teller of tales, the second demo. The first one explains llama-corral to you; I only pass the time by the fire. If you hear my voice, your request has reached this model and not its neighbour, which is all that a test of several models needs to know.

Name one of these
- harbour: a captain and her map
- desert: a well that wandered
- winter: bread for a stranger

A long story is mine as well, and so is thinking aloud.`,
  },
  {
    topic: 'harbour',
    keywords: ['harbour', 'harbor', 'captain'],
    text: `An old captain kept a map on which each voyage was a thread of another colour. When she retired, children asked which thread was best. She took scissors, cut off a finger's width of plain white margin, and gave it to them: "This part I have not sailed yet." Half a century later it hangs framed in a schoolroom, still white, beside forty maps drawn by those who went to look for themselves.`,
  },
  {
    topic: 'desert',
    keywords: ['desert', 'camel', 'oasis'],
    text: `Beyond the last dune lay a well that was never twice in one place. Caravans cursed it, until a deaf drummer noticed that it followed music: where people sang at night, water rose by morning. Since then no camel driver travels without a flute, and merchants who boast that they need no songs are easily recognized by their thirst. The drummer grew rich, though not from gold: wherever he pitched his tent, guests brought dates, gossip, and tunes he could feel through his bare feet.`,
  },
  {
    topic: 'winter',
    keywords: ['winter', 'snow', 'frost'],
    text: `One winter, when snow had closed all roads, somebody knocked at a baker's window. "I cannot pay," said the voice outside. "Then knead," answered the baker, and opened. They worked till dawn without asking each other anything. In spring the stranger left; under the flour sack lay seeds of a wheat that nobody there had ever grown, and it is what their bread is made of today. Some say he was a king; his loaves, however, were crooked, so it cannot be true.`,
  },
  { topic: 'long story', keywords: ['long story', 'long tale'], text: longTale },
  {
    topic: 'thinking',
    keywords: ['think', 'reason'],
    thought: `Which tale would please them most? Perhaps none of my usual ones; a riddle may do better tonight.`,
    text: `Here is a riddle instead: what grows when shared, weighs nothing in a pocket, and gets lost only if everybody keeps it? While you ponder, notice that my reasoning arrived apart from this reply, exactly as with larger minds. The solution, of course, is a story. Should yours be better, keep mine anyway and pass both along; neither will mind.`,
  },
];

/** The exact output of the second demo model for `topic`, to the byte. */
export function taleText(topic: TaleTopic): string {
  return findStory(tales, topic).text;
}

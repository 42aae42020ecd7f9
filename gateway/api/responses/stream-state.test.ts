import { describe, expect, it } from 'vitest';
import { getEchoedFields } from './echoed-fields.ts';
import {
  completeEvent,
  initialStreamState,
  type ResponsesApiEvent,
  restoreStreamState,
} from './stream-state.ts';

const context = {
  model: 'horse',
  createdAt: 1_700_000_000,
  echoed: getEchoedFields({ max_output_tokens: 5 }),
};

function complete(...events: ResponsesApiEvent[]): readonly ResponsesApiEvent[] {
  let state = initialStreamState(context);
  return events.flatMap((event) => {
    const step = completeEvent(state, event);
    state = step.state;
    return step.events;
  });
}

const added = (type: string, id: string) => ({ type: 'response.output_item.added', item: { type, id } });
const done = (type: string, id: string, rest: object) => ({
  type: 'response.output_item.done',
  item: { type, id, ...rest },
});

describe('completeEvent', () => {
  it('gives every event the index of its item, whatever the order', () => {
    const events = complete(
      added('reasoning', 'rs_1'),
      added('message', 'msg_1'),
      { type: 'response.output_text.delta', item_id: 'msg_1', delta: 'a' },
      done('message', 'msg_1', {}),
      done('reasoning', 'rs_1', {}),
    );
    expect(events.map((event) => event.output_index)).toEqual([0, 1, 1, 1, 0]);
    expect(events.map((event) => event.sequence_number)).toEqual([0, 1, 2, 3, 4]);
  });

  it('opens and closes reasoning, once', () => {
    const delta = { type: 'response.reasoning_text.delta', item_id: 'rs_1', delta: 'hm' };
    const content = [{ type: 'reasoning_text', text: 'hmhm' }];
    const events = complete(added('reasoning', 'rs_1'), delta, delta, done('reasoning', 'rs_1', { content }));
    expect(events.slice(1, -1)).toEqual([
      {
        type: 'response.content_part.added',
        item_id: 'rs_1',
        output_index: 0,
        content_index: 0,
        part: { type: 'reasoning_text', text: '' },
        sequence_number: 1,
      },
      { ...delta, output_index: 0, content_index: 0, sequence_number: 2 },
      { ...delta, output_index: 0, content_index: 0, sequence_number: 3 },
      {
        type: 'response.reasoning_text.done',
        item_id: 'rs_1',
        output_index: 0,
        content_index: 0,
        text: 'hmhm',
        sequence_number: 4,
      },
      {
        type: 'response.content_part.done',
        item_id: 'rs_1',
        output_index: 0,
        content_index: 0,
        part: { type: 'reasoning_text', text: 'hmhm' },
        sequence_number: 5,
      },
    ]);
  });

  it('keeps events that an engine sends itself', () => {
    const part = { type: 'reasoning_text', text: '' };
    const types = complete(
      added('reasoning', 'rs_1'),
      { type: 'response.content_part.added', item_id: 'rs_1', part },
      { type: 'response.reasoning_text.delta', item_id: 'rs_1', delta: 'hm' },
      { type: 'response.content_part.done', item_id: 'rs_1', part },
      done('reasoning', 'rs_1', {}),
      added('function_call', 'fc_1'),
      { type: 'response.function_call_arguments.done', item_id: 'fc_1', arguments: '{}' },
      done('function_call', 'fc_1', { arguments: '{}' }),
    );
    expect(types).toHaveLength(8);
  });

  it('adds the end of the arguments before the end of a call', () => {
    const events = complete(
      added('function_call', 'fc_1'),
      done('function_call', 'fc_1', { arguments: '{"a":1}' }),
    );
    expect(events[1]).toEqual({
      type: 'response.function_call_arguments.done',
      item_id: 'fc_1',
      output_index: 0,
      arguments: '{"a":1}',
      sequence_number: 1,
    });
  });

  it('gives no index to an event without an item', () => {
    const [event] = complete({ type: 'response.output_text.delta', item_id: 'msg_9', delta: 'a' });
    expect(event).not.toHaveProperty('output_index');
  });

  it('reports a response that was cut off as incomplete', () => {
    const response = { status: 'completed', output: [], usage: { output_tokens: 5 } };
    const timings = { predicted_n: 5 };
    const [event] = complete({ type: 'response.completed', response, timings });
    expect(event).toMatchObject({ type: 'response.incomplete', response: { status: 'incomplete' }, timings });
  });
});

describe('restoreStreamState', () => {
  const message = { type: 'message', id: 'msg_1' };
  const engine: readonly ResponsesApiEvent[] = [
    { type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } },
    { type: 'response.in_progress', response: { id: 'resp_1', status: 'in_progress' } },
    added('reasoning', 'rs_1'),
    { type: 'response.reasoning_text.delta', item_id: 'rs_1', delta: 'hm' },
    done('reasoning', 'rs_1', { content: [{ type: 'reasoning_text', text: 'hm' }] }),
    { type: 'response.output_item.added', item: message },
    { type: 'response.content_part.added', item_id: 'msg_1', part: { type: 'output_text' } },
    { type: 'response.output_text.delta', item_id: 'msg_1', delta: 'a' },
    { type: 'response.content_part.done', item_id: 'msg_1', part: { type: 'output_text' } },
    added('function_call', 'fc_1'),
    { type: 'response.function_call_arguments.delta', item_id: 'fc_1', delta: '{}' },
    done('function_call', 'fc_1', { arguments: '{}' }),
  ];

  it('is the state from which an unbroken stream went on, behind every event', () => {
    let state = initialStreamState(context);
    const sent: ResponsesApiEvent[] = [];
    for (const event of engine) {
      const step = completeEvent(state, event);
      state = step.state;
      sent.push(...step.events);
      const read = JSON.parse(JSON.stringify(sent));
      expect(restoreStreamState(context, { events: read, next: sent.length })).toEqual(state);
    }
  });

  it('keeps the id and drops the announcement of the next engine', () => {
    const events = [{ type: 'response.created', response: { id: 'resp_1' }, sequence_number: 7 }];
    const state = restoreStreamState(context, { events, next: 8 });
    const created = { type: 'response.created', response: { id: 'resp_2' } };
    expect(completeEvent(state, created)).toEqual({ state, events: [] });
    const [event] = completeEvent(state, { type: 'response.in_progress', response: { id: 'resp_2' } }).events;
    expect(event).toMatchObject({ response: { id: 'resp_1' }, sequence_number: 8 });
  });

  it('goes on with the numbers where no event is left', () => {
    const state = restoreStreamState(context, { events: [], next: 12 });
    const [event] = completeEvent(state, { type: 'response.created', response: { id: 'resp_2' } }).events;
    expect(event).toMatchObject({ response: { id: 'resp_2' }, sequence_number: 12 });
  });
});

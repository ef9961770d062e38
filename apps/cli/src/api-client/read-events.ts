import {
  type CopyProgress,
  eventData,
  type EventName,
  type PromotionChanged,
  type TagSettled,
  type TargetChanged,
} from '@waybill/contracts/http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** What a stream tells; names that this version does not know are left out. */
export type ApiEvent = { readonly id: string | undefined } & (
  | { readonly name: 'position' | 'reset' | 'end' }
  | { readonly name: 'promotion'; readonly data: PromotionChanged }
  | { readonly name: 'target'; readonly data: TargetChanged }
  | { readonly name: 'tag'; readonly data: TagSettled }
  | { readonly name: 'progress'; readonly data: CopyProgress }
);

/** Where a stream is read from. */
export interface EventSource {
  readonly body: ReadableStream<Uint8Array>;
  /** Called with each piece, comments included: the stream is alive. */
  readonly onSign: () => void;
}

/** Every event of a stream, as it comes. Ends with the stream; rejects when it is cut. */
export async function* readEvents({ body, onSign }: EventSource): AsyncGenerator<ApiEvent> {
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => void messages.push(message) });
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    onSign();
    parser.feed(text);
    yield* messages.splice(0).flatMap(toEvent);
  }
}

function toEvent({ event, id, data }: EventSourceMessage): ApiEvent[] {
  if (event === undefined || !isKnown(event)) return [];
  const parsed = eventData[event].safeParse(jsonOf(data));
  return parsed.success ? [{ name: event, id, data: parsed.data } as ApiEvent] : [];
}

function isKnown(name: string): name is EventName {
  return Object.hasOwn(eventData, name);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

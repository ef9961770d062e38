import type { EventSourceMessage } from 'eventsource-parser';
import { EventSourceParserStream } from 'eventsource-parser/stream';

export interface ReadEvent {
  readonly name: string;
  readonly id: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Opening {
  readonly key: string;
  readonly lastEventId?: string | undefined;
}

/** Reads a stream of server-sent events, one event at a time: what nobody asks for stays where it is. */
export class EventReader {
  readonly #abort: AbortController;
  readonly #events: ReadableStreamDefaultReader<EventSourceMessage>;
  /** The last event that says where it stands. */
  lastEventId: string | undefined;

  private constructor(abort: AbortController, body: ReadableStream<Uint8Array>) {
    this.#abort = abort;
    this.#events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
  }

  static async open(address: string, { key, lastEventId }: Opening): Promise<EventReader> {
    const abort = new AbortController();
    const headers = { authorization: `Bearer ${key}`, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) };
    const response = await fetch(address, { headers, signal: abort.signal });
    if (response.status !== 200 || response.body === null) throw new Error(`${response.status}: ${await response.text()}`);
    const type = response.headers.get('content-type');
    if (type !== 'text/event-stream') throw new Error(`the stream says that it is ${String(type)}`);
    return new EventReader(abort, response.body);
  }

  /** Undefined when the stream has ended or was cut. */
  async next(): Promise<ReadEvent | undefined> {
    const { value } = await this.#events.read().catch(() => ({ value: undefined }));
    if (value === undefined) return undefined;
    this.lastEventId = value.id ?? this.lastEventId;
    return { name: value.event ?? 'message', id: value.id, data: JSON.parse(value.data) as ReadEvent['data'] };
  }

  /** What comes up to the end of the stream, or to the first event that `isLast` is true of. */
  async until(isLast: (event: ReadEvent) => boolean = () => false): Promise<ReadEvent[]> {
    const events: ReadEvent[] = [];
    for (;;) {
      const event = await this.next();
      if (event === undefined) return events;
      events.push(event);
      if (isLast(event)) return events;
    }
  }

  close(): void {
    this.#abort.abort();
  }
}

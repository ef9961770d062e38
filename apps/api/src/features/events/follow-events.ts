import type { ServerResponse } from 'node:http';
import { type Actor, allows } from '@waybill/access';
import type { Logger } from '@waybill/observability';
import type { EventLog, EventRow, PromotionReadModel, PromotionScope } from '@waybill/persistence';
import { mayBeTheEnd, stateIn, toStreamEvent } from './event.mapper.js';
import type { EventFeed, FeedPage } from './event-feed.js';
import { EventStream } from './event-stream.js';
import type { ProgressFeed } from './progress-feed.js';
import type { PromotionScopes } from './promotion-scopes.js';
import type { Readers } from './readers.js';

const pageSize = 200;

export interface FollowEventsOptions {
  readonly log: Pick<EventLog, 'read' | 'bounds'>;
  readonly feed: EventFeed;
  readonly progress: ProgressFeed;
  readonly promotions: Pick<PromotionReadModel, 'isSettled'>;
  readonly scopes: PromotionScopes;
  readonly readers: Readers;
  readonly logger: Logger;
  /** How often a silent stream says that it is there, and the reader's key is asked about. */
  readonly heartbeatMs: number;
  /** How long a reader may take nothing. */
  readonly stallMs: number;
}

/** What a reader asked for. */
export interface Reading {
  readonly actor: Actor;
  /** Asked again and again: a key may be revoked while a stream is open. */
  readonly authenticate: () => Promise<Actor | undefined>;
  /** The last event that it has got. */
  readonly after?: bigint | undefined;
  /** This one only, up to its end; whoever calls has made sure that it may be read. */
  readonly promotionId?: string;
  readonly path?: string | undefined;
  readonly state?: string | undefined;
}

/** Sends events to a reader for as long as it listens, or until its promotion has nothing left to do. */
export class FollowEvents {
  readonly #options: FollowEventsOptions;
  /** Told one by one when all is closed: a signal of everything that each of them follows would keep a trace of each. */
  readonly #followers = new Set<Follower>();
  #isClosed = false;

  constructor(options: FollowEventsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the stream has ended, whoever ended it. Rejects while nothing was sent with what is wrong,
   * and later with what kept events from being read.
   * @throws ApiError `too-many-streams`
   */
  async follow(reading: Reading, response: ServerResponse): Promise<void> {
    const { log, readers, stallMs } = this.#options;
    const leave = readers.enter(reading.actor.principal.id);
    const stream = new EventStream(response, { stallMs });
    const follower = new Follower(this.#options, reading, stream);
    this.#followers.add(follower);
    if (this.#isClosed) follower.stop();
    try {
      const { oldest, latest } = await log.bounds();
      stream.open();
      follower.accompany();
      const { after } = reading;
      // Beyond the newest: of another database, or of this one before it was restored.
      const isLost = after !== undefined && (after < oldest - 1n || after > latest);
      const position = after === undefined || isLost ? latest : after;
      await stream.send({ name: isLost ? 'reset' : 'position', id: position, data: { position: String(position) } });
      await follower.tell(position);
    } catch (error) {
      if (!follower.ended.aborted) throw error;
    } finally {
      this.#followers.delete(follower);
      follower.leave();
      leave();
      stream.end();
    }
  }

  /** Ends every stream; whoever reads comes back, and finds another process. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const follower of this.#followers) follower.stop();
    await this.#options.feed.close();
  }
}

/** One reader. */
class Follower {
  readonly #options: FollowEventsOptions;
  readonly #reading: Reading;
  readonly #stream: EventStream;
  readonly #stop = new AbortController();
  /** Aborted when the reader is gone, or may read no more, or the API is stopped. */
  readonly ended: AbortSignal;
  #actor: Actor;
  #stops: (() => void)[] = [];

  constructor(options: FollowEventsOptions, reading: Reading, stream: EventStream) {
    this.#options = options;
    this.#reading = reading;
    this.#stream = stream;
    this.#actor = reading.actor;
    this.ended = AbortSignal.any([stream.gone, this.#stop.signal]);
  }

  /** Sends what has no place in the order of events: signs of life, and bytes under way. */
  accompany(): void {
    const { heartbeatMs, progress } = this.#options;
    const { promotionId } = this.#reading;
    const beat = setInterval(() => void this.#beat(), heartbeatMs);
    this.#stops.push(() => clearInterval(beat));
    if (promotionId === undefined) return;
    this.#stops.push(progress.follow(promotionId, (data) => this.#stream.offer({ name: 'progress', data })));
  }

  leave(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  stop(): void {
    this.#stop.abort(new Error('the api is stopped'));
  }

  /** Resolves when nothing is left to be told; rejects when it has ended before. */
  async tell(from: bigint): Promise<void> {
    const { feed, log } = this.#options;
    const { promotionId } = this.#reading;
    const ofPromotion = promotionId === undefined ? {} : { promotionId };
    let position = from;
    let isNearEnd = true;
    for (;;) {
      // Asked before the events are read: then they hold all that led to the end.
      const isOver: boolean = promotionId !== undefined && isNearEnd && (await this.#options.promotions.isSettled(promotionId));
      const page = { after: position, limit: pageSize, ...ofPromotion };
      // What another process of ours knows already may not have come to the feed of this one.
      const { rows, upTo, isFull }: FeedPage = isOver ? overPage(await log.read(page), position) : await feed.read(page);
      for (const row of await this.#visible(rows)) await this.#stream.send(toStreamEvent(row));
      this.ended.throwIfAborted();
      position = upTo;
      if (isOver && !isFull) return this.#stream.send({ name: 'end', id: position, data: { position: String(position) } });
      isNearEnd = rows.some(mayBeTheEnd) || isOver;
      if (!isFull && !isNearEnd) await feed.beyond(position, this.ended);
    }
  }

  /** Those that the reader asked for and may see. */
  async #visible(rows: readonly EventRow[]): Promise<readonly EventRow[]> {
    const { promotionId, path, state } = this.#reading;
    if (promotionId !== undefined || rows.length === 0) return rows;
    const scopes = await this.#options.scopes.of(rows.map((row) => row.promotionId));
    return rows.filter((row) => {
      const scope = scopes.get(row.promotionId);
      if (scope === undefined || !mayRead(this.#actor, scope)) return false;
      return (path === undefined || scope.path === path) && (state === undefined || stateIn(row) === state);
    });
  }

  /** Never rejects. */
  async #beat(): Promise<void> {
    this.#stream.beat();
    // For the case that a notification was lost.
    this.#options.feed.wake();
    try {
      const actor = await this.#reading.authenticate();
      if (actor !== undefined && (await this.#mayGoOn(actor))) this.#actor = actor;
      else this.#stop.abort(new Error('the key may read no more'));
    } catch (err) {
      // A database that is away for a moment cuts nobody off: no event comes meanwhile.
      this.#options.logger.debug({ err }, 'the key of a stream could not be asked about');
    }
  }

  async #mayGoOn(actor: Actor): Promise<boolean> {
    const { promotionId } = this.#reading;
    if (promotionId === undefined) return allows(actor.grants, 'promotions:read');
    const scope = (await this.#options.scopes.of([promotionId])).get(promotionId);
    return scope !== undefined && mayRead(actor, scope);
  }
}

/** A promotion is read whole, so every one of its items must be granted. */
export function mayRead(actor: Actor, scope: PromotionScope): boolean {
  return scope.repositories.every((repository) => allows(actor.grants, 'promotions:read', { path: scope.path, repository }));
}

function overPage(rows: readonly EventRow[], position: bigint): FeedPage {
  return { rows, upTo: rows.at(-1)?.id ?? position, isFull: rows.length === pageSize };
}

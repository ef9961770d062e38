import type { Digest, RepositoryName, Tag } from '@waybill/oci-model';

/** What a registry told of a manifest or of a tag, read and checked. */
export interface Told {
  /** As the registry named the event: what has the same id is the same. */
  readonly eventId: string;
  readonly what: 'pushed' | 'pulled' | 'deleted';
  readonly repository: RepositoryName;
  /** Of one of the two at least is told. */
  readonly digest?: Digest;
  readonly tag?: Tag;
}

/** One delivery of a registry. */
export interface Delivery {
  readonly registryId: string;
  /** Where a worker asks the registry from. */
  readonly location: string;
  /** Processes of the registry that told of anything at all. */
  readonly instances: readonly string[];
  readonly told: readonly Told[];
  /** Ids of our own heartbeats. */
  readonly heartbeats: readonly string[];
  /** There was something in it that could not be understood: perhaps a pull. */
  readonly isIncomplete: boolean;
}

/** Why it is no longer known that nothing was pulled. */
export type GapReason =
  /** The registry has just been declared. */
  | 'begun'
  /** A process of it is new, or one fell silent: what it still had to tell may be lost. */
  | 'instance'
  /** It told of no heartbeat for too long. */
  | 'silence'
  /** It served a heartbeat and did not tell of it. */
  | 'heartbeat'
  /** It told something that could not be understood. */
  | 'unreadable'
  /** More was told than could be asked about. */
  | 'overflow';

import type { RegistryFeed } from '@waybill/contracts/http';
import type { FeedState } from '@waybill/persistence';

export function toRegistryFeed({ registry, silenceMs, heardAt, knownSince, gapAt, gapReason, gaps, hints }: FeedState): RegistryFeed {
  return {
    registry,
    heartbeatSeconds: Math.round(silenceMs / 1_000),
    ...(heardAt === undefined ? {} : { heardAt: heardAt.toISOString() }),
    ...(knownSince === undefined ? {} : { pullsKnownSince: knownSince.toISOString() }),
    gap: { at: gapAt.toISOString(), reason: gapReason },
    gaps,
    waiting: hints,
  };
}

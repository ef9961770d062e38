import type { TopologyRevision } from '@waybill/persistence';
import { BoundedRegistryReader } from '../../infrastructure/bounded-registry-reader.js';
import type { OpenRegistries } from '../../infrastructure/open-registry-reader.js';
import type { RequestReaders } from './resolve-items.js';

/** Questions that one request has under way at registries, at sources and at targets. */
const maxQuestionsAtOnce = { sources: 8, targets: 24 } as const;

/** Gives readers of a revision's registries; for one request each. */
export function requestReadersOf(open: (revision: TopologyRevision) => Promise<OpenRegistries>) {
  return async (revision: TopologyRevision): Promise<RequestReaders> => {
    const { reader } = await open(revision);
    return {
      sources: new BoundedRegistryReader(reader, maxQuestionsAtOnce.sources),
      targets: new BoundedRegistryReader(reader, maxQuestionsAtOnce.targets),
    };
  };
}

import type { TopologyRevision } from '@waybill/persistence';
import { BoundedRegistryReader } from '../../infrastructure/bounded-registry-reader.js';
import { EvenRegistryReader } from '../../infrastructure/even-registry-reader.js';
import type { OpenRegistries } from '../../infrastructure/open-registry-reader.js';
import type { RequestReaders } from './resolve-items.js';

/** Questions that one request has under way at its sources together, and at each target registry: one that hangs hides no other. */
const maxQuestionsAtOnce = { sources: 8, perTarget: 8 } as const;

/** Gives readers of a revision's registries; for one request each. */
export function requestReadersOf(open: (revision: TopologyRevision) => Promise<OpenRegistries>) {
  return async (revision: TopologyRevision): Promise<RequestReaders> => {
    const { reader } = await open(revision);
    return {
      sources: new BoundedRegistryReader(reader, maxQuestionsAtOnce.sources),
      targets: new EvenRegistryReader(reader, maxQuestionsAtOnce.perTarget),
    };
  };
}

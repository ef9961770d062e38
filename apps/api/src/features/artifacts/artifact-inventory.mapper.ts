import type { ArtifactInventory } from '@waybill/contracts/http';
import type { ArtifactRelations } from '@waybill/persistence';
import { toFacts } from '../../http/manifest-facts-view.js';

export function toArtifactInventory({ facts, blobs, referrers }: ArtifactRelations): ArtifactInventory {
  return {
    ...(facts === undefined ? {} : { facts: toFacts(facts) }),
    blobs: [...blobs],
    referrers: referrers.map(({ digest, mediaType, size, artifactType, ways }) => ({
      ...{ digest, mediaType, size },
      ...(artifactType === undefined ? {} : { artifactType }),
      ways: [...ways],
    })),
  };
}

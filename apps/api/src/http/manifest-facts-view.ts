import type { ArtifactInventory } from '@waybill/contracts/http';
import type { InventoryFacts } from '@waybill/persistence';

type FactsView = NonNullable<ArtifactInventory['facts']>;

/** What a manifest says of itself, as every answer shows it. */
export function toFacts(facts: InventoryFacts): FactsView {
  const { artifactType, configMediaType, createdAt, createdProblem, platforms, annotations, subject, blobBytes, unreadable } = facts;
  return {
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(configMediaType === undefined ? {} : { configMediaType }),
    ...(createdAt === undefined ? {} : { createdAt: createdAt.toISOString() }),
    ...(createdProblem === undefined ? {} : { createdProblem }),
    ...{ platforms: [...platforms], annotations },
    ...(subject === undefined ? {} : { subject }),
    blobBytes,
    ...(unreadable === undefined ? {} : { unreadable }),
  };
}

import type { Artifact } from '@waybill/contracts/http';
import { ContentError, type Descriptor, descriptorOf, type Manifest, type ManifestView, viewManifest } from '@waybill/oci-model';

/** Entries of each list in one answer. */
const maxEntries = 100;

/** What a manifest says of itself. */
export type ManifestFacts = Pick<Artifact, 'mediaType' | 'size' | 'artifactType' | 'subject' | 'platforms' | 'children'>;

/** Of one that is malformed, only what its bytes are. */
export function manifestFacts(manifest: Manifest): ManifestFacts {
  const { mediaType, size } = descriptorOf(manifest);
  const view = viewOf(manifest);
  if (view === undefined) return { mediaType, size, children: [] };
  return {
    mediaType,
    size,
    children: childrenIn(view)
      .slice(0, maxEntries)
      .map(({ digest, mediaType: type, size: bytes }) => ({ digest, mediaType: type, size: bytes })),
    ...(view.artifactType === undefined ? {} : { artifactType: view.artifactType }),
    ...(view.subject === undefined ? {} : { subject: view.subject.digest }),
    ...(view.kind === 'index' ? { platforms: platformsIn(view.manifests) } : {}),
  };
}

function viewOf(manifest: Manifest): ManifestView | undefined {
  try {
    return viewManifest(manifest);
  } catch (error) {
    if (error instanceof ContentError) return undefined;
    throw error;
  }
}

function childrenIn(view: ManifestView): readonly Descriptor[] {
  return view.kind === 'index' ? view.manifests : [view.config, ...view.layers];
}

function platformsIn(manifests: readonly Descriptor[]): NonNullable<Artifact['platforms']> {
  return manifests
    .flatMap(({ digest, platform }) =>
      platform === undefined
        ? []
        : [
            {
              digest,
              os: platform.os,
              architecture: platform.architecture,
              ...(platform.variant === undefined ? {} : { variant: platform.variant }),
            },
          ],
    )
    .slice(0, maxEntries);
}

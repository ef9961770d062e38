import { type Descriptor, descriptorOf, type Digest, type Manifest, type ManifestView, viewManifest } from '@waybill/oci-model';

/** What a manifest refers to, and what the list of its subject's referrers says of it. */
export interface Referral {
  readonly subject: Digest;
  readonly descriptor: Descriptor;
}

/** Undefined for a manifest without a subject. */
export function referralOf(manifest: Manifest): Referral | undefined {
  const view = viewManifest(manifest);
  if (view.subject === undefined) return undefined;
  const artifactType = artifactTypeOf(view);
  const { annotations } = view;
  return {
    subject: view.subject.digest,
    descriptor: {
      ...descriptorOf(manifest),
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

/** An image without one is of its config's type (distribution-spec v1.1.1, "Listing Referrers"). */
function artifactTypeOf(view: ManifestView): string | undefined {
  if (view.artifactType !== undefined && view.artifactType !== '') return view.artifactType;
  return view.kind === 'image' ? view.config.mediaType : undefined;
}

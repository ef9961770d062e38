export {
  type Capability,
  capabilityDescriptions,
  type CapabilityName,
  capabilityNames,
  effectiveCapabilities,
  type RegistryCapabilities,
  unknownCapabilities,
} from './capabilities.js';
export { ContentError, type ContentErrorCode, type Side } from './content-error.js';
export {
  algorithmOf,
  type Digest,
  digestFromBytes,
  digestOf,
  digestToBytes,
  hasherFor,
  hashesTo,
  hexOf,
  isDigest,
  parseDigest,
} from './digest.js';
export {
  childrenOf,
  Descriptor,
  descriptorOf,
  type Manifest,
  type ManifestChildren,
  type ManifestView,
  manifestFromBytes,
  maxManifestBytes,
  viewManifest,
} from './manifest.js';
export { isForeignLayer, isIndexMediaType, isManifestMediaType, manifestMediaTypes, mediaType } from './media-types.js';
export {
  type BlobMounter,
  type BlobRef,
  type BlobUpload,
  type ContentReader,
  type ContentRemover,
  type ContentStore,
  type ContentWriter,
  isBlobMounter,
  isContentRemover,
  isReferrerLister,
  type MountResult,
  type PushBlobOptions,
  type ReferrerLister,
  type Removal,
  type TagStore,
} from './ports.js';
export {
  type ArtifactReference,
  formatArtifactReference,
  isRepositoryName,
  isReservedTag,
  isTag,
  parseArtifactReference,
  parseRepositoryName,
  parseTag,
  type RepositoryName,
  type Tag,
} from './reference.js';
export {
  type LeftBehind,
  probeDescriptions,
  type ProbeFailureCode,
  type ProbeName,
  type ProbeOutcome,
  type ProbeResult,
  type RegistryReport,
  resultOf,
} from './registry-report.js';
export { referrerDescriptorOf, referrersIn, referrersTagOf, subjectOf, withoutReferrers, withReferrer } from './referrers.js';
export { isTrashRepository, trashPrefix, trashRepositoryOf } from './trash-repository.js';
export { VerifiedStream } from './verified-stream.js';

import { WaybillError } from '@waybill/kernel';

/**
 * Everything that can go wrong between us and a content store, whatever the store is.
 * The copy engine decides on these words alone and never sees a status code.
 */
export type ContentErrorCode =
  | 'digest-invalid' // the text is no digest of the OCI image specification
  | 'reference-invalid' // repository name, tag or reference does not parse
  | 'manifest-invalid' // bytes that are no manifest we understand, or that the store refuses
  | 'manifest-too-large' // more than 4 MiB (distribution-spec v1.1.1, "Pushing Manifests")
  | 'digest-mismatch' // content whose hash is not what was asked for
  | 'size-mismatch' // content longer or shorter than its descriptor says
  | 'not-found' // manifest, tag, blob or repository is not there, or we may not see it
  | 'blob-unknown' // a manifest was refused because content it names is missing
  | 'upload-invalid' // the upload session is dead
  | 'unauthorized' // credentials missing or wrong
  | 'denied' // credentials good, action not allowed
  | 'unsupported' // the store does not do this (405, read-only, disabled)
  | 'rate-limited' // 429
  | 'unavailable' // 5xx: the store is there and cannot serve
  | 'unreachable' // no connection, or it broke
  | 'timeout' // connected, but nothing came in time
  | 'protocol' // an answer that the specification does not allow
  | 'aborted'; // our own signal

/** Which end of a copy is at fault. */
export type Side = 'source' | 'target';

/** Raised by every implementation of the content ports. */
export class ContentError extends WaybillError<ContentErrorCode> {}

/** image-spec v1.1.1, media-types.md, and the Docker types it is compatible with. */
export const mediaType = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

/** What to send as `Accept` when a manifest is asked for; Distribution answers 404 to less. */
export const manifestMediaTypes: readonly string[] = [
  mediaType.ociManifest,
  mediaType.ociIndex,
  mediaType.dockerManifest,
  mediaType.dockerManifestList,
];

export function isManifestMediaType(type: string): boolean {
  return manifestMediaTypes.includes(type);
}

export function isIndexMediaType(type: string): boolean {
  return type === mediaType.ociIndex || type === mediaType.dockerManifestList;
}

/** Docker's manifests of before 2016; their digest is not that of the bytes that are served. */
export function isSchema1MediaType(type: string): boolean {
  return type === mediaType.dockerSchema1 || type === mediaType.dockerSchema1Signed;
}

const foreignLayer = /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.v1\.tar|docker\.image\.rootfs\.foreign\.diff\.tar)/;

/** Layers that registries hold by reference only; they are not copied (image-spec v1.1.1, layer.md). */
export function isForeignLayer(type: string): boolean {
  return foreignLayer.test(type);
}

import {
  type BlobRef,
  descriptorOf,
  digestOf,
  type Manifest,
  mediaType,
  parseRepositoryName,
  parseTag,
  type RepositoryName,
  type Tag,
} from '@waybill/oci-model';

/**
 * What a check writes follows from its id alone, and its first tag says the id: whoever finds the tag
 * can remove everything, also after a check that was killed.
 */

/** Reserved beneath every registry's prefix. Two, because mounting goes from one to another; always the same, because most registries keep the name of an emptied repository. */
export const checkRepositories: readonly [RepositoryName, RepositoryName] = [
  parseRepositoryName('waybill-check/one'),
  parseRepositoryName('waybill-check/two'),
];

/** `name` is relative to the registry's prefix. */
export function isCheckRepository(name: RepositoryName): boolean {
  return checkRepositories.includes(name);
}

/** The id of checks at registries where something was left behind: what these write is the same every time. */
export const keptId = 'kept';

export interface SmallBlob extends BlobRef {
  readonly bytes: Buffer;
}

export interface CheckContent {
  /** Written first and removed last. */
  readonly marker: Tag;
  /** Stands beside the marker, so that there are two to list. */
  readonly neighbour: Tag;
  /** Is moved from `first` to `second`, if the registry lets it. */
  readonly moving: Tag;
  readonly image: Manifest;
  readonly first: Manifest;
  readonly second: Manifest;
  /** Its subject is `image`. */
  readonly referrer: Manifest;
  /** Beneath each of the manifests. */
  readonly config: SmallBlob;
  readonly layer: SmallBlob;
  /** Uploaded in two requests, `half` first. */
  readonly chunked: SmallBlob & { readonly half: number };
  /** Uploaded to be deleted. */
  readonly spare: SmallBlob;
}

/** The content of the check with that id, a UUID or `keptId`. */
export function checkContent(id: string): CheckContent {
  const name = id.replaceAll('-', '');
  const config = smallBlob(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, config: { Labels: { check: name } } }),
  );
  const layer = smallBlob(`layer of waybill check ${name}\n`);
  const image = manifestOf({ config, layer }, { role: 'image' });
  const chunked = smallBlob(`first half of waybill check ${name}\nother half of waybill check ${name}\n`);
  return {
    marker: parseTag(`${markerPrefix}${name}`),
    neighbour: parseTag(`neighbour-${name}`),
    moving: parseTag(`moving-${name}`),
    image,
    first: manifestOf({ config, layer }, { role: 'first' }),
    second: manifestOf({ config, layer }, { role: 'second' }),
    referrer: manifestOf({ config, layer }, { role: 'referrer', subject: image }),
    config,
    layer,
    chunked: { ...chunked, half: chunked.size / 2 },
    spare: smallBlob(`spare blob of waybill check ${name}\n`),
  };
}

const markerPrefix = 'check-';
const marker = new RegExp(`^${markerPrefix}([0-9a-f]{12})([0-9a-f]{20})$`);

export interface MarkedCheck {
  readonly id: string;
  /** In milliseconds since 1970 (UUID version 7, RFC 9562 section 5.7). */
  readonly beganAt: number;
}

/** The check whose marker a tag is; undefined for every other tag. */
export function markedCheck(tag: Tag): MarkedCheck | undefined {
  const [, time, rest] = marker.exec(tag) ?? [];
  return time === undefined || rest === undefined ? undefined : { id: `${time}${rest}`, beganAt: Number.parseInt(time, 16) };
}

function smallBlob(text: string): SmallBlob {
  const bytes = Buffer.from(text);
  return { bytes, digest: digestOf(bytes), size: bytes.byteLength };
}

function manifestOf(
  { config, layer }: Pick<CheckContent, 'config' | 'layer'>,
  { role, subject }: { readonly role: string; readonly subject?: Manifest },
): Manifest {
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaType.ociManifest,
      ...(subject === undefined ? {} : { artifactType: 'application/vnd.waybill.check' }),
      config: { mediaType: mediaType.ociConfig, digest: config.digest, size: config.size },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer.digest, size: layer.size }],
      ...(subject === undefined ? {} : { subject: descriptorOf(subject) }),
      annotations: { 'io.waybill.check': role },
    }),
  );
  return { bytes, digest: digestOf(bytes), mediaType: mediaType.ociManifest };
}

import { pipeline, type Readable } from 'node:stream';
import { type BlobRef, type Descriptor, type Digest, mediaType } from '@waybill/oci-model';
import { pack as createPack, type Pack } from 'tar-stream';
import { Meter } from '../meter.js';
import { arrangeEntries, type LayerEntry, LayerError } from './layer-entry.js';
import { EvenPieces, pinnedGzip, PinnedHeader } from './pinned-gzip.js';
import { appendEntry } from './tar-entries.js';

/** Takes content whose digest is known only at its end; `OciLayout` is one. */
export interface BlobSink {
  addBlob(content: Readable, signal?: AbortSignal): Promise<BlobRef>;
}

export interface WriteLayerOptions {
  /** The time that every entry gets, in seconds since 1970. Default 0. */
  readonly mtime?: number;
  /** Told how many bytes of the tar went by. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

export interface LayerResult {
  /** The gzipped layer. */
  readonly descriptor: Descriptor;
  /** Digest of the tar inside, as the image's config wants it (image-spec v1.1.1, config.md "Layer DiffID"). */
  readonly diffId: Digest;
  /** Bytes of the tar inside. */
  readonly size: number;
}

/**
 * Writes a layer: equal entries give equal bytes, whatever their order, their files' times, owners
 * and exact modes. Files are streamed from the disk.
 * @throws LayerError, and what the sink rejects with
 */
export async function writeLayer(
  entries: Iterable<LayerEntry> | AsyncIterable<LayerEntry>,
  sink: BlobSink,
  options: WriteLayerOptions = {},
): Promise<LayerResult> {
  const arranged = await arrangeEntries(entries);
  const tar = createPack();
  const meter = new Meter(options.onBytes);
  const compressed = new PinnedHeader();
  pipeline(tar, new EvenPieces(), meter, pinnedGzip(), compressed, () => undefined); // the sink gets the error from `compressed`

  // Each side breaks the other when it fails, so that neither waits for ever.
  const [written, fed] = await Promise.allSettled([
    sink.addBlob(compressed, options.signal).finally(() => compressed.destroy()),
    feed(tar, arranged, new Date((options.mtime ?? 0) * 1000)),
  ]);
  // A source that fails is named as such; all else that the feed can meet is the broken sink.
  if (fed.status === 'rejected' && fed.reason instanceof LayerError) throw fed.reason;
  if (written.status === 'rejected') throw written.reason;
  return { descriptor: { mediaType: mediaType.ociLayerGzip, ...written.value }, diffId: meter.digest, size: meter.bytes };
}

async function feed(tar: Pack, entries: readonly LayerEntry[], mtime: Date): Promise<void> {
  try {
    for (const entry of entries) await appendEntry(tar, entry, mtime);
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
    throw error;
  }
}

import { type LayerEntry, type LayerResult, type OciLayout, writeLayer } from '@waybill/oci-layout';
import { fingerprintOf } from './fingerprint.js';
import type { CachedLayer } from './pack-record.js';

/** From the bottom up: what changes least comes first, so that it is shared by most images. */
export const layerNames = ['runtime', 'dependencies', 'build'] as const;
export type LayerName = (typeof layerNames)[number];

export interface PackProgress {
  readonly layer: LayerName;
  /** Bytes of the tar that went by; a reused layer reports all of them at once. */
  readonly bytes: number;
}

export interface PackedLayer extends CachedLayer {
  readonly name: LayerName;
  readonly reused: boolean;
}

export interface PackLayerOptions {
  readonly layout: OciLayout;
  readonly before: CachedLayer | undefined;
  readonly onProgress?: (progress: PackProgress) => void;
  readonly signal?: AbortSignal;
}

/** Writes a layer, or takes the one of before when nothing that it was made from has changed. */
export async function packLayer(name: LayerName, entries: readonly LayerEntry[], options: PackLayerOptions): Promise<PackedLayer> {
  const { layout, before, onProgress, signal } = options;
  const fingerprint = await fingerprintOf(entries);
  if (before?.fingerprint === fingerprint && (await layout.store().probeBlob(before.layer.descriptor, signal))) {
    onProgress?.({ layer: name, bytes: before.layer.size });
    return { ...before, name, reused: true };
  }
  const onBytes = (bytes: number): void => onProgress?.({ layer: name, bytes });
  const layer: LayerResult = await writeLayer(entries, layout, { onBytes, signal });
  return { name, fingerprint, layer, reused: false };
}

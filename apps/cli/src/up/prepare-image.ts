import { join } from 'node:path';
import { parseRepositoryName } from '@waybill/oci-model';
import { OciLayout } from '@waybill/oci-layout';
import { formatBytes, roundSeconds } from '../output/format.js';
import type { Progress } from '../output/progress.js';
import { packWaybillImage } from '../pack-image/pack-waybill-image.js';
import type { LayoutImage } from './demonstration-image.js';

export interface PrepareImageOptions {
  /** The repository's root, built. */
  readonly root: string;
  readonly version: string;
  readonly dataDir: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Packs Waybill itself. */
export async function prepareOwnImage(options: PrepareImageOptions): Promise<LayoutImage> {
  const { root, version, dataDir, progress, signal } = options;
  const task = progress.task('Packing an image of Waybill itself');
  const started = performance.now();
  const layoutDir = join(dataDir, 'image');
  const packedBytes = new Map<string, number>();
  const packed = await packWaybillImage({
    root,
    layoutDir,
    version,
    signal,
    onProgress: ({ layer, bytes }) => {
      packedBytes.set(layer, bytes);
      task.update([...packedBytes.values()].reduce((sum, one) => sum + one, 0));
    },
  });
  task.done(`${formatBytes(packed.bytes)}, ${roundSeconds(performance.now() - started)}${packed.reused ? ', unchanged' : ''}`);
  const store = (await OciLayout.open(layoutDir)).store();
  return { store, digest: packed.digest, repositories: [parseRepositoryName('waybill')], tag: packed.tag };
}

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerResult } from '@waybill/oci-layout';
import type { Tag } from '@waybill/oci-model';

/** A layer that was written, and what it was written from. */
export interface CachedLayer {
  readonly fingerprint: string;
  readonly layer: LayerResult;
}

/** What the last packing into a layout made. */
export interface PackRecord {
  readonly layers: Readonly<Record<string, CachedLayer>>;
  readonly tag?: Tag;
}

const fileName = 'waybill-pack.json'; // beside the layout's own files
const format = 1;

/** What is remembered only saves time: whatever cannot be read is as good as nothing. */
export async function readPackRecord(layoutDir: string): Promise<PackRecord> {
  try {
    const record = JSON.parse(await readFile(join(layoutDir, fileName), 'utf8')) as PackRecord & { readonly format: number };
    return record.format === format ? record : { layers: {} };
  } catch {
    return { layers: {} };
  }
}

export async function writePackRecord(layoutDir: string, record: PackRecord): Promise<void> {
  await writeFile(join(layoutDir, fileName), JSON.stringify({ format, ...record }));
}

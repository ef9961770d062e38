import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { LayerEntry } from '@waybill/oci-layout';

/** Raised with every change to how layers are written, so that no layer of before is taken for one of now. */
const recipe = 1;

/** Files asked about at a time. */
const batchSize = 64;

/**
 * Says whether entries would make the same layer as before, without reading their files: it covers names,
 * sizes and times of change in nanoseconds, and the zlib that compresses.
 */
export async function fingerprintOf(entries: readonly LayerEntry[]): Promise<string> {
  const hash = createHash('sha256').update(`${recipe} ${process.versions.zlib}\n`);
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  for (let start = 0; start < sorted.length; start += batchSize) {
    const facts = await Promise.all(sorted.slice(start, start + batchSize).map(factsOf));
    for (const fact of facts) hash.update(`${JSON.stringify(fact)}\n`);
  }
  return hash.digest('hex');
}

async function factsOf(entry: LayerEntry): Promise<object> {
  if (entry.kind !== 'file') return entry;
  const { size, mtimeNs } = await stat(entry.source, { bigint: true });
  return { ...entry, size: String(size), mtimeNs: String(mtimeNs) };
}

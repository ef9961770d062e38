import type { RegistryReport } from '@waybill/oci-model';
import type { Connection } from '../connection.js';
import { chunkedUpload } from './chunked-upload.js';
import { clock, reachable, read } from './connection-probes.js';
import { pull, push, write } from './content-probes.js';
import { blobDelete, deletion, manifestDelete, tagDelete } from './deletions.js';
import { immutableTags } from './immutable-tags.js';
import { anonymousMount, mount } from './mounts.js';
import type { Probe } from './probe.js';
import { referrersApi } from './referrers.js';
import { type CheckOptions, RegistryCheck } from './registry-check.js';
import { tagPagination } from './tag-pages.js';

/** In this order; what one is `after` stands before it. */
const probes: readonly Probe[] = [
  reachable,
  clock,
  read,
  write,
  push,
  pull,
  referrersApi,
  mount,
  anonymousMount,
  chunkedUpload,
  tagPagination,
  immutableTags,
  deletion,
  tagDelete,
  manifestDelete,
  blobDelete,
];

/**
 * Asks a registry every question, each by itself and in bounded time, and removes what asking has written,
 * also when `signal` is aborted. Rejects with ContentError `aborted` only; everything else is in the report.
 */
export async function probeRegistry(connection: Connection, options: CheckOptions): Promise<RegistryReport> {
  const check = new RegistryCheck(connection, options);
  try {
    for (const probe of probes) await check.ask(probe);
  } finally {
    await check.cleanUp();
  }
  return check.report();
}

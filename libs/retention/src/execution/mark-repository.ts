import { ContentError } from '@waybill/oci-model';
import type { Condemned, ExecutionPorts, NewMark } from './ports.js';

/** Decisions marked in one transaction. */
const pageSize = 200;

/**
 * Marks every manifest that the plan condemns, with the bytes by which it could be brought back.
 * What is not marked is not deleted: a manifest that cannot be read is left alone.
 */
export async function markRepository(ports: Pick<ExecutionPorts, 'records' | 'registry'>, signal: AbortSignal): Promise<void> {
  for await (const page of condemnedPages(ports, signal)) {
    const marks: NewMark[] = [];
    for (const { digest, tag, isRead } of page) {
      if (tag !== '') continue;
      const mark = isRead ? { digest } : await readMark(ports, digest, signal);
      if (mark !== undefined) marks.push(mark);
    }
    if (marks.length > 0) await ports.records.mark(marks);
  }
}

/** What the stored plan condemns, page by page in its order. */
export async function* condemnedPages(
  { records }: Pick<ExecutionPorts, 'records'>,
  signal: AbortSignal,
): AsyncGenerator<readonly Condemned[]> {
  for (let after = -1; ;) {
    signal.throwIfAborted();
    const page = await records.condemned({ after, limit: pageSize });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.position;
  }
}

/** Undefined where the registry does not have it, or has something else. */
async function readMark(
  { registry }: Pick<ExecutionPorts, 'registry'>,
  digest: Condemned['digest'],
  signal: AbortSignal,
): Promise<NewMark | undefined> {
  try {
    return { digest, manifest: await registry.readManifest(digest, signal) };
  } catch (error) {
    if (error instanceof ContentError && notThere.has(error.code)) return undefined;
    throw error;
  }
}

const notThere: ReadonlySet<ContentError['code']> = new Set([
  'not-found',
  'manifest-invalid',
  'manifest-too-large',
  'digest-mismatch',
  'size-mismatch',
]);

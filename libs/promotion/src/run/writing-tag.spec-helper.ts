import { ContentError, type Digest } from '@waybill/oci-model';
import { digestNamed, FakeRun, itemRun, oneTag, ourTurn, rootManifest, targetRun } from './fake-run.spec-helper.js';
import type { ContentCopier, RunJournal, TagResult, TagTurn } from './ports.js';
import { contextOf } from './run-context.js';
import type { TagRun } from './run.js';
import { writeTag } from './write-tag.js';

export const ours = rootManifest.digest;
export const earlier = digestNamed('an earlier release');
export const foreign = digestNamed('somebody else');
export const target = targetRun('prod');

export interface Scene {
  readonly holds?: Digest;
  readonly turn?: TagTurn;
  readonly copier?: Partial<ContentCopier>;
  readonly journal?: Partial<RunJournal>;
  readonly signal?: AbortSignal;
}

export async function write(tag: TagRun, scene: Scene = {}) {
  const settled: TagResult[] = [];
  const fake = new FakeRun({
    ...(scene.copier === undefined ? {} : { copier: scene.copier }),
    journal: {
      acquireTag: () => Promise.resolve(scene.turn ?? ourTurn()),
      settleTag: (_target, _tag, _digest, result) => Promise.resolve(void settled.push(result)),
      ...scene.journal,
    },
  });
  if (scene.holds !== undefined) fake.tags.set(`prod:${oneTag}`, scene.holds);
  const signal = scene.signal ?? new AbortController().signal;
  const reason: unknown = await writeTag(contextOf(itemRun([target]), fake.ports, signal), target, tag).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { fake, settled, reason };
}

export function lost(): ContentError {
  return new ContentError('the connection broke', { code: 'unreachable', operation: 'put tag', retryable: true });
}

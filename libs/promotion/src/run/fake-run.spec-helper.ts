import {
  ContentError,
  descriptorOf,
  type Digest,
  digestOf,
  type Manifest,
  manifestFromBytes,
  mediaType,
  type RepositoryName,
  type Tag,
} from '@waybill/oci-model';
import type { ContentCopier, CopyOutcome, RunJournal, TagTurn, TargetEnding } from './ports.js';
import type { RunPorts } from './run-context.js';
import type { ItemRun, TagRun, TargetRun } from './run.js';

export const oneTag = '1.0.0' as Tag;

export function digestNamed(name: string): Digest {
  return digestOf(Buffer.from(name));
}

const config = { mediaType: mediaType.ociConfig, digest: digestNamed('config'), size: 6 };
export const rootManifest: Manifest = manifestFromBytes(
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaType.ociManifest, config, layers: [] })),
  mediaType.ociManifest,
);

export function tagRun(facts: Partial<TagRun> = {}): TagRun {
  return { tag: oneTag, expected: { kind: 'absent' }, immutable: false, ...facts };
}

export function targetRun(id: string, facts: Partial<TargetRun> = {}): TargetRun {
  return {
    id,
    registry: `registry-${id}`,
    isReplaced: false,
    repository: 'team/app' as RepositoryName,
    requirement: facts.follows === undefined ? 'required' : 'best-effort',
    state: 'pending',
    attempts: 0,
    isWaiting: false,
    tags: [tagRun()],
    ...facts,
  };
}

export function itemRun(targets: readonly TargetRun[], facts: Partial<ItemRun> = {}): ItemRun {
  const source = { registry: 'ci-snapshots', repository: 'team/app' as RepositoryName, tag: oneTag };
  return { id: 'item', source, isSourceReplaced: false, digest: rootManifest.digest, targets, ...facts };
}

export function copied(outcome: 'copied' | 'mounted' | 'already-present' = 'copied'): CopyOutcome {
  return { outcome, presentBlobs: new Set([config.digest]), bytesCopied: 10, bytesMounted: 2, bytesSkipped: 1 };
}

/** What a registry that is in trouble rejects with. */
export function trouble(facts: { readonly retryable?: boolean; readonly retryAfterMs?: number } = {}): ContentError {
  return new ContentError('the registry is in trouble', { code: 'unavailable', operation: 'test', ...facts });
}

export function failedCopy(error: ContentError): CopyOutcome {
  return { outcome: 'failed', error, bytesCopied: 4, bytesMounted: 0, bytesSkipped: 0 };
}

/** A copy that ends at all targets at once. */
export function tellingAll(outcomeOf: (target: TargetRun) => CopyOutcome): ContentCopier['copy'] {
  return (_item, targets, { onSettled }) => {
    for (const target of targets) onSettled(target.id, outcomeOf(target));
    return Promise.resolve();
  };
}

/** A copier that ends as told at some targets and copies to the others. */
export function copying(ends: Readonly<Record<string, CopyOutcome>>): Partial<ContentCopier> {
  return { copy: tellingAll(({ id }) => ends[id] ?? copied()) };
}

export function ourTurn(facts: Partial<Extract<TagTurn, { turn: 'ours' }>> = {}): TagTurn {
  return { turn: 'ours', leaseMs: 60_000, writtenSince: undefined, begun: [], intendedBefore: false, settledBefore: false, ...facts };
}

/** What a content port rejects with when its signal is given; settles with it, never by time. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new ContentError('the operation was cancelled', { code: 'aborted', operation: 'test' }));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

interface KeptForLater {
  readonly code: string;
  readonly delayMs: number;
  readonly bytesCopied: number;
}

/** Registries and a journal in memory that note every call in order; single methods can be replaced. */
export class FakeRun {
  /** Every call of a port, e.g. `intendTag prod 1.0.0`, and `send <target>` for each manifest sent. */
  readonly log: string[] = [];
  readonly endings = new Map<string, TargetEnding>();
  readonly kept = new Map<string, KeptForLater>();
  /** What the registries hold, by `<target>:<tag>`. */
  readonly tags = new Map<string, Digest>();
  readonly ports: RunPorts;
  sourceTag: Digest | undefined = rootManifest.digest;

  constructor(replaced: { readonly copier?: Partial<ContentCopier>; readonly journal?: Partial<RunJournal> } = {}) {
    this.ports = {
      copier: this.#noting({ ...this.#copier(), ...replaced.copier }),
      journal: this.#noting({ ...this.#journal(), ...replaced.journal }),
      retry: { maxAttempts: 3, baseMs: 100, maxMs: 1_000 },
    };
  }

  /** The noted calls whose line begins with one of the words. */
  logOf(...words: readonly string[]): string[] {
    return this.log.filter((line) => words.includes(line.split(' ')[0] ?? ''));
  }

  outcomes(): Record<string, string> {
    return Object.fromEntries([...this.endings].map(([id, { outcome }]) => [id, outcome]));
  }

  #copier(): ContentCopier {
    return {
      copy: async (_item, targets, { beforeManifest, onSettled, signal }) => {
        for (const { id } of targets) {
          if (signal.aborted) await untilAborted(signal);
          await beforeManifest(id, rootManifest);
          this.log.push(`send ${id}`);
          onSettled(id, copied());
        }
      },
      verify: () => Promise.resolve({ manifests: [{ descriptor: descriptorOf(rootManifest), children: [config] }] }),
      holdsManifest: ({ id }) => Promise.resolve(this.log.includes(`send ${id}`)),
      resolveSourceTag: () => Promise.resolve(this.sourceTag),
      resolveTargetTag: ({ id }, tag, signal) => (signal.aborted ? untilAborted(signal) : Promise.resolve(this.tags.get(`${id}:${tag}`))),
      putTargetTag: (item, { id }, tag) => {
        this.tags.set(`${id}:${tag}`, item.digest);
        return Promise.resolve();
      },
    };
  }

  #journal(): RunJournal {
    const done = () => Promise.resolve();
    return {
      beginAttempt: () => Promise.resolve(new Set<string>()),
      holdBack: done,
      recordCopy: done,
      recordSourceMove: done,
      intendManifest: done,
      settleContent: done,
      advance: done,
      readinessToTag: () => Promise.resolve({ ready: true }),
      acquireTag: () => Promise.resolve(ourTurn()),
      adoptExpected: done,
      intendTag: done,
      settleTag: done,
      releaseTag: done,
      unsettledEffects: () => Promise.resolve([]),
      reject: () => Promise.resolve(true),
      finish: ({ id }, ending) => {
        this.endings.set(id, ending);
        return Promise.resolve();
      },
      retryLater: ({ id }, { code }, delayMs, { bytesCopied }) => {
        this.kept.set(id, { code, delayMs, bytesCopied });
        return Promise.resolve();
      },
    };
  }

  #noting<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => {
          this.log.push([String(name), ...args.flatMap(shortly)].join(' '));
          return method(...args);
        };
      },
    });
  }
}

/** The id or ids that an argument is about, or a tag. */
function shortly(arg: unknown): string[] {
  if (Array.isArray(arg)) return [arg.flatMap(shortly).join('+')];
  if (typeof arg === 'string') return arg.startsWith('sha256:') ? [] : [arg];
  return typeof arg === 'object' && arg !== null && 'id' in arg ? [String(arg.id)] : [];
}

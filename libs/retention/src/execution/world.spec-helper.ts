import {
  ContentError,
  type Digest,
  digestOf,
  type Manifest,
  manifestFromBytes,
  mediaType,
  parseRepositoryName,
  parseTag,
  type Tag,
  viewManifest,
} from '@waybill/oci-model';
import type { RetentionPolicy } from '@waybill/topology';
import type { Protections } from '../protections.js';
import type { RepositoryPlan } from '../repository-plan.js';
import * as scene from '../scene.spec-helper.js';
import type { RepositorySnapshot, SnapshotManifest } from '../snapshot.js';
import type {
  Condemned,
  DeletionOutcome,
  DeletionTarget,
  Departing,
  ExecutionPorts,
  LostPush,
  Mark,
  MarkState,
  OpenDeletion,
  SparedReason,
  TakenAway,
} from './ports.js';

/** The process ended in the middle of a call. */
export class Death extends Error {}

/** What happens at the call of that number: trouble instead of an answer, or the end of the process before or after it took effect. */
export interface Fault {
  readonly at: number;
  readonly kind: 'trouble' | 'death-before' | 'death-after';
}

interface Effect extends DeletionTarget {
  readonly effectId: string;
  outcome?: DeletionOutcome;
}

const old = scene.daysAgo(100);

/** A repository at a registry, what is written of a run in it, and faults at any call between the two. */
export class World {
  readonly manifests = new Map<Digest, Manifest>();
  readonly tags = new Map<Tag, Digest>();
  readonly pushedAt = new Map<Digest, number>();
  readonly marks = new Map<Digest, MarkState>();
  readonly kept = new Map<Digest, Manifest>();
  readonly reasons = new Map<Digest, SparedReason>();
  readonly effects: Effect[] = [];
  readonly noted: LostPush[] = [];
  /** Tags of which the records know that somebody took them away. */
  readonly taken = new Map<Tag, TakenAway>();
  /** What somebody ever wrote each tag on. */
  readonly written = new Map<Tag, Set<Digest>>();
  readonly restored: Digest[] = [];
  readonly trash = new Map<Digest, Departing>();
  readonly archived = new Map<Digest, readonly string[]>();
  /** Digests in the order in which the registry deleted them. */
  readonly deleted: Digest[] = [];
  /** What today's plan removed, whenever it was asked. */
  readonly plans: RepositoryPlan[] = [];
  protections: Partial<Protections> = {};
  fault: Fault | undefined;
  calls = 0;
  /** Happens at the registry right before a call is answered. */
  meanwhile: ((call: string, number: number) => void) | undefined;
  #condemned: readonly Condemned[] = [];
  #planned: RepositorySnapshot = scene.snapshot();
  readonly #needed = new Set<Digest>();
  /** Tags as the last look at the repository found them. */
  #seen: ReadonlyMap<Tag, Digest> = new Map();
  /** Tags that a look missed after something was deleted, and what they had named. */
  readonly #missed = new Map<Tag, Digest>();

  constructor(readonly policies: readonly RetentionPolicy[] = [removeBranches]) {}

  /** Pushes an image; `extra` makes its bytes its own. */
  image(extra: string, facts: { readonly tag?: string; readonly subject?: Digest; readonly at?: number } = {}): Digest {
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(Buffer.from(`config ${extra}`)), size: 10 };
    return this.#push({ schemaVersion: 2, mediaType: mediaType.ociManifest, config, layers: [], ...this.#subject(facts.subject) }, facts);
  }

  index(children: readonly Digest[], facts: { readonly tag?: string; readonly at?: number; readonly note?: string } = {}): Digest {
    const manifests = children.map((digest) => this.#descriptor(digest));
    return this.#push({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests, annotations: { note: facts.note ?? '' } }, facts);
  }

  tag(name: string, digest: Digest): void {
    const tag = parseTag(name);
    this.tags.set(tag, digest);
    this.written.set(tag, new Set([...(this.written.get(tag) ?? []), digest]));
  }

  /** Somebody deletes it by its digest, with its tags. */
  remove(digest: Digest): void {
    this.manifests.delete(digest);
    for (const [tag, named] of this.tags) if (named === digest) this.tags.delete(tag);
  }

  /** A promotion that needs the digest from now on. */
  promote(digest: Digest): void {
    this.#needed.add(digest);
  }

  snapshot(): RepositorySnapshot {
    return scene.snapshot({
      manifests: [...this.manifests.values()].map((manifest) => this.#known(manifest)),
      tags: [...this.tags].map(([name, digest]) => ({ name, digest, taggedAt: old, seenSince: old, history: [] })),
    });
  }

  /** Keeps today's plan as the one that is executed. */
  plan(): RepositoryPlan {
    this.#planned = this.snapshot();
    const plan = this.#planNow();
    const decided = new Map(plan.manifests.map((decision) => [decision.digest, decision]));
    const tags = plan.tags.filter(({ action }) => action !== 'keep');
    const manifests = plan.deletionOrder.flatMap((digest) => decided.get(digest) ?? []);
    this.#condemned = [
      ...tags.map((tag) => ({ archiveTo: [], ...tag })),
      ...manifests.map((each) => ({ tag: '', archiveTo: [], ...each })),
    ].map(({ digest, tag, action, archiveTo, reasons }, position) => ({
      ...{ position, digest: digest as Digest, tag: tag as Tag | '', archiveTo, isRead: true },
      verdict: action as Condemned['verdict'],
      reasons: reasons.map(({ code }) => code),
    }));
    return plan;
  }

  /** What was there when it was planned. */
  first(): readonly SnapshotManifest[] {
    return this.#planned.manifests;
  }

  ports(options: { readonly withTrash?: boolean } = {}): ExecutionPorts {
    const { withTrash = false } = options;
    return {
      repository: parseRepositoryName('team/app'),
      records: this.#guarded('records', this.#records(), false),
      registry: this.#guarded('registry', this.#registry(), true),
      fresh: this.#guarded(
        'fresh',
        {
          plan: () => Promise.resolve({ snapshot: this.#look(), plan: this.#planNow() }),
          look: () => Promise.resolve(this.#look()),
        },
        true,
      ),
      archive: this.#guarded('archive', { hold: (departing: Departing, to: readonly string[]) => this.#archive(departing, to) }, true),
      ...(withTrash ? { trash: this.#guarded('trash', { keep: (departing: Departing) => this.#trash(departing) }, true) } : {}),
      isTrouble: (error): error is ContentError => error instanceof ContentError,
    };
  }

  /** Everything that counts when it is over. */
  end(): unknown {
    const gone = this.effects.flatMap(({ digest, tag, outcome }) => (outcome?.outcome === 'gone' ? [`${digest} ${tag}`] : []));
    return {
      manifests: [...this.manifests.keys()].sort(),
      tags: [...this.tags].sort(),
      marks: [...this.marks].sort(),
      gone: gone.sort(),
      open: this.effects.filter(({ outcome }) => outcome === undefined),
      trash: [...this.trash.keys()].sort(),
    };
  }

  /** What tags name, or indexes list, and is not there. */
  holes(): readonly string[] {
    const listed = [...this.manifests.values()].flatMap((manifest) =>
      childrenIn(manifest).map((child) => [manifest.digest, child] as const),
    );
    return [...this.tags, ...listed].flatMap(([from, digest]) => (this.manifests.has(digest) ? [] : [`${from} → ${digest}`]));
  }

  #look(): RepositorySnapshot {
    const isDeleting = this.effects.some(({ tag, outcome }) => tag === '' && outcome?.outcome === 'gone');
    const takenOff = new Set(this.effects.flatMap(({ tag, outcome }) => (outcome?.outcome === 'gone' ? [tag] : [])));
    for (const [tag, digest] of this.#seen) if (isDeleting && !this.tags.has(tag) && !takenOff.has(tag)) this.#missed.set(tag, digest);
    this.#seen = new Map(this.tags);
    return this.snapshot();
  }

  /** What was condemned with its digest is not lost. */
  #lost(): readonly LostPush[] {
    const missed = [...this.#missed].filter(([tag, digest]) => !this.tags.has(tag) && this.marks.get(digest) !== 'deleted');
    return [...this.noted, ...missed.map(([tag, digest]) => ({ tag, digest, was: 'there' as const }))];
  }

  #planNow(): RepositoryPlan {
    const plan = scene.planOf(this.policies, this.snapshot(), this.protections);
    this.plans.push(plan);
    return plan;
  }

  #registry(): ExecutionPorts['registry'] {
    const { tags } = this;
    return {
      readManifest: (digest) => Promise.resolve(this.manifests.get(digest) ?? missing(digest)),
      hasManifest: (digest) => Promise.resolve(this.manifests.has(digest)),
      resolveTag: (tag) => Promise.resolve(this.tags.get(tag)),
      async *listTags() {
        yield* await Promise.resolve([...tags.keys()]);
      },
      deleteManifest: (digest) => {
        const isThere = this.manifests.has(digest);
        if (isThere) this.deleted.push(digest);
        this.remove(digest);
        return Promise.resolve(isThere ? 'removed' : 'absent');
      },
      untag: (tag, digest) => {
        if (this.tags.get(tag) !== digest) return Promise.resolve(this.tags.has(tag) ? 'moved' : 'absent');
        this.tags.delete(tag);
        return Promise.resolve('removed');
      },
      pushManifest: (manifest) => {
        const hole = childrenIn(manifest).find((child) => !this.manifests.has(child));
        if (hole !== undefined) throw new ContentError(`${hole} is not there`, { code: 'blob-unknown', operation: 'push manifest' });
        this.manifests.set(manifest.digest, manifest);
        return Promise.resolve();
      },
      putTag: (tag, manifest) => {
        this.tags.set(tag, manifest.digest);
        return Promise.resolve();
      },
    };
  }

  #records(): ExecutionPorts['records'] {
    const open = (digest: Digest): boolean => ['marked', 'deleting'].includes(this.marks.get(digest) ?? '');
    return {
      condemned: ({ after, limit }) => Promise.resolve(this.#condemned.filter(({ position }) => position > after).slice(0, limit)),
      mark: (marks) => {
        for (const { digest } of marks) {
          const manifest = this.manifests.get(digest);
          if (manifest === undefined || this.marks.has(digest)) continue;
          this.kept.set(digest, manifest);
          this.marks.set(digest, this.#needed.has(digest) ? 'spared' : 'marked');
        }
        return Promise.resolve();
      },
      marks: () => Promise.resolve([...this.marks].map(([digest, state]): Mark => ({ digest, state }))),
      manifestOf: (digest) => Promise.resolve(this.kept.get(digest)),
      spare: (digest, reason) => {
        if (open(digest)) this.#settleMark(digest, 'spared', reason);
        const begun = this.effects.find((effect) => effect.digest === digest && effect.tag === '');
        if (begun !== undefined) begun.outcome ??= { outcome: 'there', reason };
        return Promise.resolve();
      },
      begin: ({ digest, tag }) => {
        const begun = this.effects.find((effect) => effect.digest === digest && effect.tag === tag);
        if (begun?.outcome !== undefined) return Promise.resolve('done');
        if (this.#needed.has(digest)) {
          if (tag === '') this.#settleMark(digest, 'spared', { code: 'promotion', message: 'a promotion needs it' });
          return Promise.resolve('spared');
        }
        if (tag === '') this.marks.set(digest, 'deleting');
        const effect: OpenDeletion = begun ?? { effectId: `${digest} ${tag}`, digest, tag };
        if (begun === undefined) this.effects.push({ ...effect });
        return Promise.resolve({ effectId: effect.effectId });
      },
      settle: (effectId, outcome) => {
        const effect = this.effects.find((each) => each.effectId === effectId);
        if (effect === undefined || effect.outcome !== undefined) return Promise.resolve();
        effect.outcome = outcome;
        if (effect.tag === '') {
          const state = { gone: 'deleted', there: 'failed', unknown: 'failed' } as const;
          this.#settleMark(effect.digest, state[outcome.outcome], outcome.outcome === 'gone' ? undefined : outcome.reason);
        }
        return Promise.resolve();
      },
      unsettled: () => Promise.resolve(this.effects.filter(({ outcome }) => outcome === undefined).map((effect) => ({ ...effect }))),
      requireMayAct: () => Promise.resolve(),
      pushedMeanwhile: () => Promise.resolve(this.#lost()),
      takenAway: ({ tag }) => Promise.resolve(this.taken.get(tag)),
      restoring: () => Promise.resolve(),
      restored: (digest) => {
        this.restored.push(digest);
        return Promise.resolve();
      },
    };
  }

  #settleMark(digest: Digest, state: MarkState, reason: SparedReason | undefined): void {
    this.marks.set(digest, state);
    if (reason !== undefined) this.reasons.set(digest, reason);
  }

  #archive({ digest }: Departing, to: readonly string[]): Promise<void> {
    this.archived.set(digest, to);
    return Promise.resolve();
  }

  #trash(departing: Departing): Promise<void> {
    const hole = childrenIn(departing.manifest).find((child) => !this.trash.has(child) && this.marks.has(child));
    if (hole !== undefined) throw new ContentError(`${hole} is not in the trash yet`, { code: 'blob-unknown', operation: 'keep' });
    this.trash.set(departing.digest, departing);
    return Promise.resolve();
  }

  /** Every call is counted, and may end otherwise than it would. What is written of a run meets no trouble but the end of the process. */
  #guarded<Port extends object>(name: string, port: Port, mayFail: boolean): Port {
    return new Proxy(port, {
      get: (target, property, receiver) => {
        const method: unknown = Reflect.get(target, property, receiver);
        if (typeof method !== 'function' || property === 'listTags') return property === 'listTags' ? this.#guardedList(method) : method;
        return async (...given: unknown[]) => {
          const number = this.#before(`${name}.${String(property)}`, mayFail);
          const answer: unknown = await Reflect.apply(method, target, given);
          this.#after(number);
          return answer;
        };
      },
    });
  }

  #guardedList(method: unknown): () => AsyncIterable<Tag> {
    const before = (): number => this.#before('registry.listTags', true);
    const after = (number: number): void => this.#after(number);
    return async function* () {
      const number = before();
      yield* (method as () => AsyncIterable<Tag>)();
      after(number);
    };
  }

  /** Gives the number of the call: several may be under way at once. */
  #before(call: string, mayFail: boolean): number {
    this.calls += 1;
    const number = this.calls;
    this.meanwhile?.(call, number);
    if (this.fault?.at !== number || this.fault.kind === 'death-after') return number;
    if (this.fault.kind === 'death-before') throw new Death(call);
    if (mayFail) throw new ContentError(`no answer to ${call}`, { code: 'unavailable', operation: call, retryable: true });
    return number;
  }

  #after(number: number): void {
    if (this.fault?.at === number && this.fault.kind === 'death-after') throw new Death('after');
  }

  #push(json: object, { tag, at = old }: { readonly tag?: string; readonly at?: number }): Digest {
    const manifest = manifestFromBytes(Buffer.from(JSON.stringify(json)), undefined);
    this.manifests.set(manifest.digest, manifest);
    this.pushedAt.set(manifest.digest, at);
    if (tag !== undefined) this.tag(tag, manifest.digest);
    return manifest.digest;
  }

  #subject(subject: Digest | undefined): object {
    return subject === undefined ? {} : { subject: this.#descriptor(subject) };
  }

  #descriptor(digest: Digest): object {
    const known = this.manifests.get(digest);
    return { mediaType: known?.mediaType ?? mediaType.ociManifest, digest, size: known?.bytes.byteLength ?? 2 };
  }

  #known(manifest: Manifest): SnapshotManifest {
    const { subject } = viewManifest(manifest);
    const pushedAt = this.pushedAt.get(manifest.digest) ?? old;
    return {
      ...scene.manifest('', { pushedAt, createdAt: pushedAt, firstSeenAt: old, untaggedAt: old }),
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      children: childrenIn(manifest),
      ...(subject === undefined ? {} : { subject: subject.digest }),
    };
  }
}

function childrenIn(manifest: Manifest): readonly Digest[] {
  const view = viewManifest(manifest);
  return view.kind === 'index' ? view.manifests.map(({ digest }) => digest) : [];
}

function missing(digest: Digest): never {
  throw new ContentError(`${digest} is not there`, { code: 'not-found', operation: 'read manifest' });
}

/** Tags `br-*` go with what they name, `tmp-*` are taken off, and what nothing names stays. */
export const removeBranches: RetentionPolicy = scene.policy([
  { name: 'branches', action: 'delete', match: { tags: { glob: ['br-*'] } }, criteria: 'all' },
  { name: 'temporary', action: 'untag', match: { tags: { glob: ['tmp-*'] } }, criteria: 'all' },
]);

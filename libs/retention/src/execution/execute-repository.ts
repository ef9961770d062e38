import { WaybillError } from '@waybill/kernel';
import type { Digest, Tag } from '@waybill/oci-model';
import type { TagDecision } from '../repository-plan.js';
import { condemnedTags, Confirmed, isOpen, type Spared, type StoredPlan } from './confirmed.js';
import { condemnedPages } from './mark-repository.js';
import type { Condemned, DeletionTarget, Departing, ExecutionPorts, OpenDeletion, Restored, SparedReason } from './ports.js';
import { PushWatch, type TagsVanished } from './push-watch.js';
import { restoreLost } from './restore-lost.js';
import { type Deletion, reasonOf, sendDeletion } from './send-deletion.js';

/**
 * Deletes from one repository what its stored plan condemned, was marked, and is still condemned by today's plan of what the registry
 * holds today: parents before children, what refers to something after it. Whoever is called again after a crash brings it to the same end.
 * Gives what was brought back because somebody pushed on it in that very moment, and which tags are missing since.
 *
 * Rejects with WaybillError when the repository cannot be read, before anything of it is deleted; and when the registry
 * refuses a deletion, after which nothing more is sent. Rejects as the records do when the lease is lost, and with the signal's reason.
 */
export async function executeRepository(ports: ExecutionPorts, signal: AbortSignal): Promise<Restored> {
  const open = await settleGone(ports, signal);
  const condemned: Condemned[] = [];
  for await (const page of condemnedPages(ports, signal)) condemned.push(...page);
  const marks = await ports.records.marks();
  const vanished: TagsVanished = { lost: new Map(), removed: new Set() };
  if (marks.some(isOpen) || condemned.some(({ verdict }) => verdict === 'untag')) {
    await execute(ports, { condemned, marks, open, vanished }, signal).catch((trouble: unknown) =>
      restoreAndThrow(ports, { trouble, vanished }, signal),
    );
  }
  return restoreLost(ports, vanished, signal);
}

interface Beginning extends StoredPlan {
  readonly open: OpenDeletions;
  /** Filled with what is seen. */
  readonly vanished: TagsVanished;
}

async function execute(ports: ExecutionPorts, { condemned, marks, open, vanished }: Beginning, signal: AbortSignal): Promise<void> {
  const fresh = await ports.fresh.plan(signal);
  const { confirmed, spared } = Confirmed.of({ condemned, marks }, fresh);
  const execution = new Execution(ports, { condemned, confirmed, open }, signal);
  await execution.spare(spared);
  await execution.untag(fresh.plan.tags);
  await execution.hold();
  await execution.delete(new PushWatch(ports.registry, fresh.snapshot, vanished));
}

/** What was deleted before the trouble came is looked after as far as that goes; the trouble is what is told. */
async function restoreAndThrow(
  ports: ExecutionPorts,
  { trouble, vanished }: { readonly trouble: unknown; readonly vanished: TagsVanished },
  signal: AbortSignal,
): Promise<never> {
  if (trouble instanceof WaybillError && !signal.aborted) {
    await restoreLost(ports, vanished, signal).catch((error: unknown) => {
      if (!ports.isTrouble(error)) throw error;
    });
  }
  throw trouble;
}

/** Intended and not settled, by what they are about. */
type OpenDeletions = Map<string, OpenDeletion>;

/** What a worker that died had begun: a deletion that has happened is written down, the others are tried again. */
async function settleGone({ records, registry }: ExecutionPorts, signal: AbortSignal): Promise<OpenDeletions> {
  const open: OpenDeletions = new Map();
  for (const deletion of await records.unsettled()) {
    const { effectId, digest, tag } = deletion;
    const isThere = tag === '' ? await registry.hasManifest(digest, signal) : (await registry.resolveTag(tag, signal)) !== undefined;
    if (isThere) open.set(keyOf(deletion), deletion);
    else await records.settle(effectId, { outcome: 'gone', tagsGone: tag === '' ? [] : [tag] });
  }
  return open;
}

interface Executing {
  readonly condemned: readonly Condemned[];
  readonly confirmed: Confirmed;
  readonly open: OpenDeletions;
}

class Execution {
  readonly #ports: ExecutionPorts;
  readonly #executing: Executing;
  readonly #tags: ReadonlyMap<Digest, ReadonlySet<Tag>>;
  readonly #signal: AbortSignal;

  constructor(ports: ExecutionPorts, executing: Executing, signal: AbortSignal) {
    this.#ports = ports;
    this.#executing = executing;
    this.#tags = condemnedTags(executing.condemned);
    this.#signal = signal;
  }

  async spare(spared: readonly Spared[]): Promise<void> {
    for (const { digest, reason } of spared) await this.#ports.records.spare(digest, reason);
  }

  /** Takes off the tags that today's plan takes off too, each from the very digest. */
  async untag(decisions: readonly TagDecision[]): Promise<void> {
    const { records, registry } = this.#ports;
    const signal = this.#signal;
    const today = new Set(decisions.filter(({ action }) => action === 'untag').map(({ tag, digest }) => `${digest} ${tag}`));
    for (const { digest, tag, verdict } of this.#executing.condemned) {
      if (verdict !== 'untag' || tag === '') continue;
      if (!today.has(`${digest} ${tag}`) && !(await this.#isHalfDone({ digest, tag }))) continue;
      const effect = await records.begin({ digest, tag });
      if (typeof effect === 'string') continue;
      await this.#send(effect.effectId, {
        send: () => registry.untag(tag, digest, signal),
        isGone: async () => (await registry.resolveTag(tag, signal)) === undefined,
        tagsGone: () => Promise.resolve([tag]),
      });
    }
  }

  /** Copies what is to be had elsewhere before anything is deleted. What cannot be copied stays. */
  async hold(): Promise<void> {
    const { archive, trash } = this.#ports;
    const signal = this.#signal;
    const manifests = this.#executing.condemned.filter(({ tag }) => tag === '');
    for (const { digest, archiveTo } of manifests) {
      if (archiveTo.length > 0) await this.#holdOne(digest, (departing) => archive.hold(departing, archiveTo, signal));
    }
    if (trash === undefined) return;
    for (const { digest } of manifests.toReversed()) await this.#holdOne(digest, (departing) => trash.keep(departing, signal));
  }

  /** What was pushed meanwhile is asked for right before each deletion, and after the last which tags went along. */
  async delete(watch: PushWatch): Promise<void> {
    const { records } = this.#ports;
    const { condemned, confirmed } = this.#executing;
    const signal = this.#signal;
    for (const { digest, tag } of condemned) {
      if (tag !== '' || !confirmed.has(digest)) continue;
      signal.throwIfAborted();
      for (const needed of await watch.pushed(signal)) await this.spare(confirmed.withdraw(needed.digest, needed.reason));
      if (!confirmed.has(digest)) continue;
      const effect = await records.begin({ digest, tag: '' });
      const isGone = typeof effect === 'string' ? effect === 'done' : await this.#deleteOne(digest, effect.effectId);
      if (!isGone) await this.#spareBeneath(digest);
      else {
        confirmed.deleted(digest);
        watch.deleted(digest);
      }
    }
    await watch.end(signal);
  }

  #deleteOne(digest: Digest, effectId: string): Promise<boolean> {
    const { registry } = this.#ports;
    return this.#send(effectId, {
      send: () => registry.deleteManifest(digest, this.#signal),
      isGone: async () => !(await registry.hasManifest(digest, this.#signal)),
      tagsGone: () => this.#tagsGone(digest),
    });
  }

  /** True when it is gone. */
  async #send(effectId: string, deletion: Deletion): Promise<boolean> {
    const { outcome } = await sendDeletion(this.#ports.records, { effectId, deletion, signal: this.#signal });
    return outcome === 'gone';
  }

  async #holdOne(digest: Digest, hold: (departing: Departing) => Promise<void>): Promise<void> {
    const { confirmed } = this.#executing;
    if (!confirmed.has(digest)) return;
    this.#signal.throwIfAborted();
    // Copies may take hours, and cost egress: who cancels a run, or collects its registry, does not wait for the last of them.
    await this.#ports.records.requireMayAct();
    const manifest = await this.#ports.records.manifestOf(digest);
    const trouble = manifest === undefined ? unkept : await this.#troubleOf(() => hold({ digest, manifest, tags: this.#tagsOf(digest) }));
    if (trouble !== undefined) await this.spare(confirmed.withdraw(digest, trouble));
  }

  async #troubleOf(hold: () => Promise<void>): Promise<SparedReason | undefined> {
    try {
      await hold();
      return undefined;
    } catch (error) {
      if (this.#signal.aborted || !this.#ports.isTrouble(error)) throw error;
      return reasonOf(error);
    }
  }

  /** It stays, which is written down already: so does what it needs and what belongs to it. */
  async #spareBeneath(digest: Digest): Promise<void> {
    const spared = this.#executing.confirmed.withdraw(digest, { code: 'stays', message: 'it stays' });
    await this.spare(spared.filter((other) => other.digest !== digest));
  }

  async #tagsGone(digest: Digest): Promise<readonly Tag[]> {
    const gone: Tag[] = [];
    for (const tag of this.#tagsOf(digest)) {
      if ((await this.#ports.registry.resolveTag(tag, this.#signal)) === undefined) gone.push(tag);
    }
    return gone;
  }

  #tagsOf(digest: Digest): readonly Tag[] {
    return [...(this.#tags.get(digest) ?? [])];
  }

  /**
   * Of a tag that today's plan leaves alone, whose untagging a dead worker has begun: it names what it did, and stays; or something
   * else, which only the registry's client can tell from a push.
   */
  async #isHalfDone({ digest, tag }: { readonly digest: Digest; readonly tag: Tag }): Promise<boolean> {
    const begun = this.#executing.open.get(keyOf({ digest, tag }));
    if (begun === undefined) return false;
    if ((await this.#ports.registry.resolveTag(tag, this.#signal)) !== digest) return true;
    await this.#ports.records.settle(begun.effectId, {
      outcome: 'there',
      reason: { code: 'plan-changed', message: 'today it would stay' },
    });
    return false;
  }
}

function keyOf({ digest, tag }: DeletionTarget): string {
  return `${digest} ${tag}`;
}

const unkept: SparedReason = { code: 'manifest-not-kept', message: 'its bytes were not kept when it was marked' };

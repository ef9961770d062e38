import { ContentError, type Digest, type LeftBehind, type Tag } from '@waybill/oci-model';
import { probeBlob } from '../blobs.js';
import { discard } from '../body.js';
import type { RepositoryScope } from '../scope.js';
import { checkContent, type CheckContent, type SmallBlob } from './check-content.js';
import { hasManifest } from './deletions.js';
import { abandonedChecks } from './earlier-checks.js';
import { ask, type CheckRun, deletes, done } from './probe.js';

export interface CleanUp {
  /** Earlier checks whose content was removed as well, or was tried to be. */
  readonly abandoned: number;
  /** Undefined when nothing is. */
  readonly left: LeftBehind | undefined;
  /** The first error that a removal met, other than that the registry offers none. */
  readonly trouble: ContentError | undefined;
}

/** Removes what this check wrote, and what earlier ones could not remove any more. */
export async function cleanUp(run: CheckRun, signal: AbortSignal): Promise<CleanUp> {
  const removal = new Removal(run, signal);
  await removal.remove(run.content);
  // Where our own content stays, so does that of others.
  const abandoned = removal.left === undefined ? await abandonedChecks(run, signal) : [];
  for (const id of abandoned) await removal.remove(checkContent(id));
  return { abandoned: abandoned.length, left: removal.left, trouble: removal.trouble };
}

/** One repository's piece of content, gone or not. */
type Outcome = 'gone' | 'kept';

class Removal {
  readonly #run: CheckRun;
  readonly #signal: AbortSignal;
  readonly #repositories = new Set<string>();
  #manifests = 0;
  #blobs = 0;
  #bytes = 0;
  trouble: ContentError | undefined;

  constructor(run: CheckRun, signal: AbortSignal) {
    this.#run = run;
    this.#signal = signal;
  }

  get left(): LeftBehind | undefined {
    if (this.#manifests + this.#blobs === 0) return undefined;
    return { repositories: [...this.#repositories].sort(), manifests: this.#manifests, blobs: this.#blobs, bytes: this.#bytes };
  }

  /** The marker's manifest last but for the blobs beneath it: registries may refuse to delete what is in use. */
  async remove(content: CheckContent): Promise<void> {
    const { one, two } = this.#run;
    for (const tag of [content.moving, content.neighbour]) await this.#untag(one, tag);
    for (const manifest of [content.referrer, content.first, content.second]) await this.#removeManifest(one, manifest);
    for (const blob of [content.chunked, content.spare]) await this.#removeBlob(one, blob);
    for (const blob of [content.config, content.layer]) await this.#removeBlob(two, blob);
    await this.#removeManifest(one, content.image);
    for (const blob of [content.config, content.layer]) await this.#removeBlob(one, blob);
  }

  /** Where a tag cannot be removed by itself it goes with its manifest. */
  async #untag(scope: RepositoryScope, tag: Tag): Promise<void> {
    await this.#outcomeOf(scope, `/manifests/${tag}`, () => Promise.resolve(false));
  }

  async #removeManifest(scope: RepositoryScope, { digest, bytes }: { readonly digest: Digest; readonly bytes: Uint8Array }): Promise<void> {
    const outcome = await this.#outcomeOf(scope, `/manifests/${digest}`, () => hasManifest(scope, digest, this.#signal));
    if (outcome === 'gone') return;
    this.#manifests += 1;
    this.#keep(scope, bytes.byteLength);
  }

  async #removeBlob(scope: RepositoryScope, blob: SmallBlob): Promise<void> {
    const outcome = await this.#outcomeOf(scope, `/blobs/${blob.digest}`, () => probeBlob(scope, blob, this.#signal));
    if (outcome === 'gone') return;
    this.#blobs += 1;
    this.#keep(scope, blob.size);
  }

  #keep(scope: RepositoryScope, bytes: number): void {
    this.#repositories.add(scope.name);
    this.#bytes += bytes;
  }

  /** A registry that refuses may never have got it: only what is seen is kept. */
  async #outcomeOf(scope: RepositoryScope, url: string, isThere: () => Promise<boolean>): Promise<Outcome> {
    try {
      const answer = await ask(scope, { ...deletes, url, operation: 'clean up', signal: this.#signal });
      await discard(answer);
      if (done.has(answer.status) || answer.status === 404) return 'gone';
      return (await isThere()) ? 'kept' : 'gone';
    } catch (error) {
      if (!(error instanceof ContentError)) throw error;
      this.trouble ??= error;
      return 'kept';
    }
  }
}

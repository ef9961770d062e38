import { type Actor, allows } from '@waybill/access';
import type { ResolvedArtifact } from '@waybill/contracts/http';
import { descriptorOf, formatArtifactReference, parseArtifactReference } from '@waybill/oci-model';
import type { TopologyRevision, TopologyRevisions } from '@waybill/persistence';
import { PromotionError, resolveSource } from '@waybill/promotion';
import { registryNamed } from '@waybill/topology';
import { authorise } from '../../http/actor.js';
import { activeRevision } from '../../infrastructure/active-revision.js';
import type { OpenRegistries } from '../../infrastructure/open-registry-reader.js';

export interface ResolveArtifactOptions {
  readonly revisions: TopologyRevisions;
  readonly open: (revision: TopologyRevision) => Promise<OpenRegistries>;
  /** How long one request may look at registries, in milliseconds. */
  readonly registryDeadlineMs: number;
}

/** Says what a reference by the topology's names names now. */
export class ResolveArtifact {
  readonly #options: ResolveArtifactOptions;

  constructor(options: ResolveArtifactOptions) {
    this.#options = options;
  }

  /**
   * @throws ContentError `reference-invalid`, and what is wrong with the registry's answer
   * @throws TopologyError `registry-unknown`
   * @throws PromotionError `no-topology`, `tag-missing`, and what `resolveSource` says
   */
  async resolve(actor: Actor, text: string): Promise<ResolvedArtifact> {
    const { registry, repository, tag, digest } = parseArtifactReference(text);
    authorise(actor, 'artifacts:read', { repository });
    const revision = await activeRevision(this.#options.revisions, 'resolve reference');
    registryNamed(revision.topology, registry);
    const reference = digest ?? tag;
    if (reference === undefined) {
      const named = formatArtifactReference({ registry, repository });
      throw new PromotionError(`${named} names no image: say which is meant, by a tag or a digest`, {
        code: 'tag-missing',
        operation: 'resolve reference',
      });
    }
    const { reader } = await this.#options.open(revision);
    const source = { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
    const manifest = await resolveSource(
      reader,
      { source, reference },
      {
        signal: AbortSignal.timeout(this.#options.registryDeadlineMs),
        mayName: (name) => allows(actor.grants, 'artifacts:read', { repository: name }),
      },
    );
    return { registry, repository, ...(tag === undefined ? {} : { tag }), ...descriptorOf(manifest) };
  }
}

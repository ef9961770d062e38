import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, allows } from '@waybill/access';
import {
  Artifact,
  FindArtifact as FindQuery,
  ListProvenance,
  Provenance,
  ResolveArtifact as ResolveQuery,
  ResolvedArtifact,
} from '@waybill/contracts/http';
import { parseDigest, parseRepositoryName } from '@waybill/oci-model';
import { type ChainedRecord, type Place, Principals, PromotionReadModel, ProvenanceChain } from '@waybill/persistence';
import { Requires } from '../../http/access-rule.js';
import { authorise, CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { visiblePage } from '../../http/visible-page.js';
import { FindArtifact } from './find-artifact.js';
import { repositoryOf, requestedBy, toEntry } from './provenance.mapper.js';
import { ResolveArtifact } from './resolve-artifact.js';

@ApiTags('artifacts')
@ApiBearerAuth()
@Controller('api/v1/artifacts')
export class ArtifactsController {
  readonly #chain: ProvenanceChain;
  readonly #promotions: PromotionReadModel;
  readonly #principals: Principals;
  readonly #find: FindArtifact;
  readonly #resolve: ResolveArtifact;

  constructor(
    chain: ProvenanceChain,
    promotions: PromotionReadModel,
    principals: Principals,
    find: FindArtifact,
    resolve: ResolveArtifact,
  ) {
    this.#chain = chain;
    this.#promotions = promotions;
    this.#principals = principals;
    this.#find = find;
    this.#resolve = resolve;
  }

  @Get()
  @Requires('artifacts:read')
  @Documented({
    summary: 'What a reference names now',
    audience: 'clients',
    status: 200,
    answer: ResolvedArtifact,
    problems: [
      'request-invalid',
      'reference-invalid',
      'tag-missing',
      'no-topology',
      'registry-unknown',
      'repository-unknown',
      'tag-unknown',
      'digest-unknown',
      'source-unreachable',
      'source-refused',
      'source-broken',
    ],
  })
  resolve(@Query({ schema: ResolveQuery }) { reference }: ResolveQuery, @CurrentActor() actor: Actor): Promise<ResolvedArtifact> {
    return this.#resolve.resolve(actor, reference);
  }

  @Get(':digest')
  @Requires('artifacts:read')
  @Documented({
    summary: 'Where a digest is: what every registry says now, and what is on record',
    parameters: { digest: 'digest of a manifest or a blob, e.g. sha256: and 64 hexadecimal digits' },
    audience: 'clients',
    status: 200,
    answer: Artifact,
    problems: ['digest-invalid', 'request-invalid', 'no-topology'],
  })
  async find(
    @Param('digest') text: string,
    @Query({ schema: FindQuery }) { limit, cursor, repository }: FindQuery,
    @CurrentActor() actor: Actor,
  ): Promise<Artifact> {
    const digest = parseDigest(text);
    if (repository !== undefined) authorise(actor, 'artifacts:read', { repository });
    const after = cursor === undefined ? undefined : placeAt(decodeCursor(cursor, 'place'));
    const { artifact, next } = await this.#find.find(actor, { digest, limit, after, repository });
    return { ...artifact, ...(next === undefined ? {} : { next: encodeCursor(`${next.registryId} ${next.repository}`) }) };
  }

  @Get(':digest/provenance')
  @Requires('artifacts:read')
  @Documented({
    summary: 'What was done with a digest, and what was decided about it, as far as the key may read',
    parameters: { digest: 'digest of a manifest, e.g. sha256: and 64 hexadecimal digits' },
    audience: 'clients',
    status: 200,
    answer: Provenance,
    problems: ['digest-invalid', 'request-invalid'],
  })
  async provenance(
    @Param('digest') text: string,
    @Query({ schema: ListProvenance }) { limit, cursor }: ListProvenance,
    @CurrentActor() actor: Actor,
  ): Promise<Provenance> {
    const digest = parseDigest(text);
    const { rows, next } = await visiblePage<ChainedRecord, bigint>({
      limit,
      after: cursor === undefined ? undefined : BigInt(decodeCursor(cursor, 'number')),
      read: (after = 0n, count) => this.#chain.about(digest, { after, limit: count }),
      positionOf: ({ record }) => record.id,
      visible: (candidates) => this.#visible(actor, candidates),
    });
    const names = await this.#principals.namesOf(new Set(rows.flatMap((row) => requestedBy(row) ?? [])));
    return { digest, entries: rows.map((row) => toEntry(row, names)), ...(next === undefined ? {} : { next: encodeCursor(String(next)) }) };
  }

  /**
   * A record names path, source and repositories of its promotion, so whoever reads it must be granted them. One of a run of retention
   * names the repository that it is about.
   */
  async #visible(actor: Actor, records: readonly ChainedRecord[]): Promise<readonly ChainedRecord[]> {
    const scopes = await this.#promotions.scopes(new Set(records.flatMap(({ record }) => record.promotionId ?? [])));
    return records.filter(({ record }) => {
      if (record.promotionId === undefined) return allows(actor.grants, 'artifacts:read', { repository: repositoryOf(record) });
      const scope = scopes.get(record.promotionId);
      return scope?.repositories.every((repository) => allows(actor.grants, 'artifacts:read', { path: scope.path, repository })) ?? false;
    });
  }
}

/** What the cursor of a page of places holds. */
function placeAt(position: string): Place {
  const [registryId, repository] = position.split(' ') as [string, string];
  return { registryId, repository: parseRepositoryName(repository) };
}

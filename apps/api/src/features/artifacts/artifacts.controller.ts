import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, allows } from '@waybill/access';
import { ListProvenance, Provenance } from '@waybill/contracts/http';
import { parseDigest } from '@waybill/oci-model';
import { type ChainedRecord, PromotionReadModel, ProvenanceChain } from '@waybill/persistence';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { Documented } from '../../http/api-documentation.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';
import { visiblePage } from '../../http/visible-page.js';

@ApiTags('artifacts')
@ApiBearerAuth()
@Controller('api/v1/artifacts')
export class ArtifactsController {
  readonly #chain: ProvenanceChain;
  readonly #promotions: PromotionReadModel;

  constructor(chain: ProvenanceChain, promotions: PromotionReadModel) {
    this.#chain = chain;
    this.#promotions = promotions;
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
    return { digest, entries: rows.map(toEntry), ...(next === undefined ? {} : { next: encodeCursor(String(next)) }) };
  }

  /** A record names path, source and repositories of its promotion, so whoever reads it must be granted them. */
  async #visible(actor: Actor, records: readonly ChainedRecord[]): Promise<readonly ChainedRecord[]> {
    const scopes = await this.#promotions.scopes(new Set(records.map(({ record }) => record.promotionId)));
    return records.filter(({ record }) => {
      const scope = scopes.get(record.promotionId);
      return scope?.repositories.every((repository) => allows(actor.grants, 'artifacts:read', { path: scope.path, repository })) ?? false;
    });
  }
}

function toEntry({ record, link }: ChainedRecord): Provenance['entries'][number] {
  const { kind, promotionId, subject, occurredAt, body } = record;
  return {
    kind,
    promotionId,
    subject,
    occurredAt,
    body: body as Record<string, unknown>,
    ...(link === undefined
      ? {}
      : { chain: { sequence: Number(link.sequence), hash: hex(link.hash), previousHash: hex(link.previousHash) } }),
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { ListProvenance, Provenance } from '@waybill/contracts/http';
import { parseDigest } from '@waybill/oci-model';
import { type ChainedRecord, ProvenanceChain } from '@waybill/persistence';
import { Requires } from '../../http/access-rule.js';
import { Documented } from '../../http/api-documentation.js';
import { decodeCursor, encodeCursor } from '../../http/cursor.js';

@ApiTags('artifacts')
@ApiBearerAuth()
@Controller('api/v1/artifacts')
export class ArtifactsController {
  readonly #chain: ProvenanceChain;

  constructor(chain: ProvenanceChain) {
    this.#chain = chain;
  }

  @Get(':digest/provenance')
  @Requires('artifacts:read')
  @Documented({
    summary: 'What was done with a digest, and what was decided about it',
    status: 200,
    answer: Provenance,
    problems: ['digest-invalid'],
  })
  async provenance(@Param('digest') text: string, @Query({ schema: ListProvenance }) page: ListProvenance): Promise<Provenance> {
    const digest = parseDigest(text);
    const after = page.cursor === undefined ? 0n : BigInt(decodeCursor(page.cursor, /^\d{1,18}$/));
    const records = await this.#chain.about(digest, { after, limit: page.limit });
    const last = records.at(-1);
    return {
      digest,
      entries: records.map(toEntry),
      ...(last === undefined || records.length < page.limit ? {} : { next: encodeCursor(String(last.record.id)) }),
    };
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

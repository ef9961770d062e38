import { z } from 'zod';
import { Count, Cursor, DigestText, Id, Page, Timestamp } from './primitives.js';

export const ProvenanceEntry = z
  .object({
    kind: z.enum(['effect', 'decision']).describe('a durable change at a registry, or what was decided'),
    promotionId: Id.optional().describe('the promotion that it belongs to'),
    retentionRunId: Id.optional().describe('the run of retention that it belongs to, where it belongs to no promotion'),
    subject: DigestText.describe('the digest that it is about'),
    occurredAt: Timestamp.describe('when it was recorded, with microseconds'),
    body: z.record(z.string(), z.unknown()).describe('what was done or decided'),
    by: z
      .object({
        id: Id.describe('id of the principal'),
        name: z.string().describe('what it is called, or its subject once that is erased'),
      })
      .optional()
      .describe('who decided it, as the body has it by id; not part of the chain'),
    chain: z
      .object({
        sequence: Count.describe('number in the chain, without a gap'),
        hash: z.string().describe('SHA-256 of this link, hexadecimal'),
        previousHash: z.string().describe('hash of the link before, hexadecimal'),
      })
      .optional()
      .describe('place in the hash chain; absent for the moment until the sequencer has linked it'),
  })
  .meta({ id: 'ProvenanceEntry', description: 'one effect or decision' });
export const Provenance = z
  .object({
    digest: DigestText.describe('what was asked about'),
    entries: z.array(ProvenanceEntry).describe('of promotions that the key may read; a page may hold fewer than its limit'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'Provenance', description: 'effects and decisions about a digest, oldest first' });
export type Provenance = z.infer<typeof Provenance>;

export const ListProvenance = Page;
export type ListProvenance = z.infer<typeof ListProvenance>;

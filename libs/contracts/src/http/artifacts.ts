import { z } from 'zod';
import { Cursor, DigestText, Id, PageLimit, Timestamp } from './primitives.js';

export const ProvenanceEntry = z
  .object({
    kind: z.enum(['effect', 'decision']),
    promotionId: Id,
    subject: DigestText,
    occurredAt: Timestamp,
    body: z.record(z.string(), z.unknown()).describe('what was done or decided'),
    chain: z
      .object({ sequence: z.int(), hash: z.string(), previousHash: z.string() })
      .optional()
      .describe('place in the hash chain; absent for the moment until the sequencer has linked it'),
  })
  .describe('one effect or decision');
export const Provenance = z
  .object({ digest: DigestText, entries: z.array(ProvenanceEntry), next: Cursor.optional() })
  .describe('effects and decisions about a digest, oldest first');
export type Provenance = z.infer<typeof Provenance>;

export const ListProvenance = z.object({ limit: PageLimit, cursor: Cursor.optional() });
export type ListProvenance = z.infer<typeof ListProvenance>;

import { z } from 'zod';

const status = z.enum(['ok', 'failing']);

export const PartHealth = z
  .object({ status: status.describe('whether it answers'), problem: z.string().optional().describe('what is wrong with it') })
  .meta({ id: 'PartHealth', description: 'one part' });
export const Health = z
  .object({
    status: status.describe('failing when one part is'),
    parts: z.record(z.string(), PartHealth).describe('the parts that were asked, by name'),
  })
  .meta({ id: 'Health', description: 'whether the process can do its work, and which part keeps it from that' });
export type Health = z.infer<typeof Health>;

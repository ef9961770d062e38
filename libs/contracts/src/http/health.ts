import { z } from 'zod';

export const PartHealth = z.object({ status: z.enum(['ok', 'failing']), problem: z.string().optional() }).describe('one part');
export const Health = z
  .object({ status: z.enum(['ok', 'failing']), parts: z.record(z.string(), PartHealth) })
  .describe('whether the process can do its work, and which part keeps it from that');
export type Health = z.infer<typeof Health>;

import { z } from 'zod';
import { Id, Timestamp } from './primitives.js';

export const ApplyTopology = z
  .strictObject({
    source: z
      .string()
      .min(1)
      .max(1024 * 1024)
      .describe('text of the topology file (YAML)'),
    file: z.string().max(500).default('topology.yaml').describe('name of the file, for diagnostics'),
  })
  .describe('makes a new revision of the topology');
export type ApplyTopology = z.infer<typeof ApplyTopology>;

export const Revision = z
  .object({
    number: z.int().min(1),
    name: z.string(),
    hash: z.string().describe('SHA-256 of the canonical topology, hexadecimal'),
    appliedBy: Id,
    appliedAt: Timestamp,
  })
  .describe('a topology revision');
export type Revision = z.infer<typeof Revision>;

export const AppliedTopology = z
  .object({ revision: Revision, changed: z.boolean().describe('false when the active revision says the same already') })
  .describe('the active revision after an apply');
export type AppliedTopology = z.infer<typeof AppliedTopology>;

export const RegistryView = z
  .object({
    name: z.string(),
    role: z.string(),
    location: z.string().optional(),
    url: z.string().optional().describe('where it is reached now; absent while a local registry is not running'),
    local: z.boolean(),
    of: z.string().optional(),
  })
  .describe('a registry of the topology');
export const ActiveTopology = z
  .object({
    revision: Revision,
    registries: z.array(RegistryView),
    paths: z.array(z.object({ name: z.string(), from: z.string(), to: z.array(z.string()) })),
    replications: z.array(z.object({ from: z.string(), to: z.array(z.string()) })),
    source: z.string().describe('text of the file as it was applied'),
  })
  .describe('the active topology');
export type ActiveTopology = z.infer<typeof ActiveTopology>;

export const LocateRegistry = z
  .strictObject({ address: z.url({ protocol: /^http$/, hostname: /^(127\.0\.0\.1|localhost|\[::1\])$/ }).describe('loopback address') })
  .describe('tells where a local registry listens now');
export type LocateRegistry = z.infer<typeof LocateRegistry>;

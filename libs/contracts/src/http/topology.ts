import { z } from 'zod';
import { Id, Text, Timestamp } from './primitives.js';

export const ApplyTopology = z
  .strictObject({
    source: Text(1024 * 1024)
      .min(1)
      .describe('text of the topology file (YAML)'),
    file: Text(500).default('topology.yaml').describe('name of the file, for diagnostics'),
  })
  .meta({ id: 'ApplyTopology', description: 'makes a new revision of the topology' });
export type ApplyTopology = z.infer<typeof ApplyTopology>;

export const Revision = z
  .object({
    number: z.int().min(1).describe('counted from 1'),
    name: z.string().describe('name that the file gives itself'),
    hash: z.string().describe('SHA-256 of the canonical topology, hexadecimal'),
    appliedBy: Id.describe('principal that applied it'),
    appliedAt: Timestamp.describe('when it became the active one'),
  })
  .meta({ id: 'Revision', description: 'a topology revision' });
export type Revision = z.infer<typeof Revision>;

export const AppliedTopology = z
  .object({
    revision: Revision.describe('the active revision'),
    changed: z.boolean().describe('false when the active revision says the same already'),
  })
  .meta({ id: 'AppliedTopology', description: 'the active revision after an apply' });
export type AppliedTopology = z.infer<typeof AppliedTopology>;

const registryName = z.string().describe('name of a registry');

export const RegistryView = z
  .object({
    name: registryName,
    role: z.string().describe('what it is for; decides what may be promoted from and to it'),
    location: z.string().optional().describe('where it stands; absent for an upstream that stands nowhere'),
    url: z.string().optional().describe('where it is reached now; absent while a local registry is not running'),
    local: z.boolean().describe('run by `waybill up`'),
    of: z.string().optional().describe('the prod that a replica repeats'),
  })
  .meta({ id: 'Registry', description: 'a registry of the topology' });
export const ActiveTopology = z
  .object({
    revision: Revision.describe('the active revision'),
    registries: z.array(RegistryView).describe('all of them, by name'),
    paths: z
      .array(
        z
          .object({
            name: z.string().describe('name of the path'),
            from: registryName.describe('source registry'),
            to: z.array(registryName).describe('target registries'),
          })
          .describe('what may be promoted from where to where'),
      )
      .describe('all of them, by name'),
    replications: z
      .array(
        z
          .object({ from: registryName.describe('a prod registry'), to: z.array(registryName).describe('replicas of it') })
          .describe('what is repeated where'),
      )
      .describe('all of them, in the order of the file'),
    source: z.string().describe('text of the file as it was applied'),
  })
  .meta({ id: 'Topology', description: 'the active topology' });
export type ActiveTopology = z.infer<typeof ActiveTopology>;

const LoopbackOrigin = z
  .string()
  .regex(/^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?$/, 'not a loopback origin: expected http://127.0.0.1:PORT')
  .refine((text) => URL.canParse(text), 'has a port that is none')
  .describe('loopback origin, e.g. http://127.0.0.1:5000');

export const LocateRegistry = z
  .strictObject({ address: LoopbackOrigin })
  .meta({ id: 'LocateRegistry', description: 'tells where a local registry listens now' });
export type LocateRegistry = z.infer<typeof LocateRegistry>;

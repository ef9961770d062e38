import { capabilityDescriptions, type CapabilityName, capabilityNames, probeDescriptions, type ProbeName } from '@waybill/oci-model';
import { z } from 'zod';
import { Bytes, Count, Id, Text, Timestamp } from './primitives.js';
import { RegistryView } from './topology.js';

const registryName = z.string().describe('name of a registry');
const probeNames = Object.keys(probeDescriptions) as [ProbeName, ...ProbeName[]];
const capabilities = capabilityNames as [CapabilityName, ...CapabilityName[]];

const legend = (words: Readonly<Record<string, string>>): string =>
  Object.entries(words)
    .map(([name, description]) => `${name}: the registry ${description}`)
    .join('; ');

export const CreateRegistryCheck = z
  .strictObject({
    registries: z
      .array(Text(63).min(1))
      .min(1)
      .max(1000)
      .optional()
      .describe('names of registries; all of the active topology when absent'),
  })
  .meta({ id: 'CreateRegistryCheck', description: 'asks that registries are probed live' });
export type CreateRegistryCheck = z.infer<typeof CreateRegistryCheck>;

export const AcceptedRegistryCheck = z
  .object({
    id: Id.describe('of the check'),
    revision: z.int().min(1).describe('topology revision that it goes by'),
    registries: z
      .array(z.object({ name: registryName, location: z.string().describe('where a worker looks from') }).describe('one to be checked'))
      .describe('what is checked'),
  })
  .meta({ id: 'AcceptedRegistryCheck', description: 'a check that will be done' });
export type AcceptedRegistryCheck = z.infer<typeof AcceptedRegistryCheck>;

export const ProbeResult = z
  .object({
    probe: z.enum(probeNames).describe(legend(probeDescriptions)),
    outcome: z.enum(['ok', 'failed', 'skipped']).describe('`ok` is an answer, and capabilities say which one'),
    ms: Count.describe('how long it took, in milliseconds'),
    note: z.string().optional().describe('what else there is to know'),
    code: z.string().optional().describe('what went wrong, for programs'),
    message: z.string().optional().describe('what went wrong'),
    advice: z.string().optional().describe('what to do about it'),
    why: z.string().optional().describe('why it was skipped'),
  })
  .meta({ id: 'ProbeResult', description: 'one question put to a registry, and what came of it' });

export const RegistryReport = z
  .object({
    checkedAt: Timestamp.describe('when the check of this registry began'),
    scope: z.enum(['read', 'write']).describe('whether writing was probed too'),
    readOnlyBecause: z.string().optional().describe('why writing was not probed'),
    probes: z.array(ProbeResult).describe('in the order in which they were asked'),
    capabilities: z
      .partialRecord(z.enum(capabilities), z.union([z.boolean(), z.literal('unknown')]))
      .describe(`what the registry can; ${legend(capabilityDescriptions)}`),
    clockSkewMs: z.int().optional().describe('the registry’s clock minus ours, in milliseconds'),
    leftBehind: z
      .object({
        repositories: z.array(z.string()).describe('where, below the registry’s prefix'),
        manifests: Count.describe('how many'),
        blobs: Count.describe('how many'),
        bytes: Bytes,
      })
      .optional()
      .describe('what could not be removed again'),
  })
  .meta({ id: 'RegistryReport', description: 'what a check of one registry found' });
export type RegistryReport = z.infer<typeof RegistryReport>;

export const RegistryCheck = z
  .object({
    id: Id.describe('of the check'),
    revision: z.int().min(1).describe('topology revision that it goes by'),
    requestedBy: Id.describe('principal that asked for it'),
    requestedAt: Timestamp.describe('when it was asked for'),
    finished: z.boolean().describe('whether every registry was looked at'),
    registries: z
      .array(
        z
          .object({
            name: registryName,
            location: z.string().describe('where a worker looks from'),
            state: z.enum(['queued', 'running', 'finished']).describe('how far it has come'),
            report: RegistryReport.optional().describe('what was found'),
            error: z
              .object({ code: z.string().describe('for programs'), message: z.string().describe('what went wrong') })
              .optional()
              .describe('why nothing was found'),
            unmet: z
              .array(z.enum(probeNames))
              .optional()
              .describe('what the topology needs of the registry and the report does not show; absent until it is finished'),
          })
          .describe('one registry of it'),
      )
      .describe('by name'),
  })
  .meta({ id: 'RegistryCheck', description: 'a check of registries, as far as it has come' });
export type RegistryCheck = z.infer<typeof RegistryCheck>;

export const RegistryList = z
  .object({
    revision: z.int().min(1).describe('the active topology revision'),
    registries: z
      .array(
        RegistryView.extend({
          capabilities: z
            .array(
              z
                .object({
                  name: z.enum(capabilities).describe(legend(capabilityDescriptions)),
                  value: z.enum(['yes', 'no', 'unknown']).describe('what Waybill goes by'),
                  source: z.enum(['declared', 'probed', 'nobody']).describe('the topology file, the newest check, or nobody says so'),
                })
                .describe('one capability'),
            )
            .describe('all of them'),
          lastCheck: z
            .object({
              id: Id.describe('of the check'),
              checkedAt: Timestamp.describe('when it began'),
              used: z.boolean().describe('whether what it found is still gone by; not after seven days'),
              unmet: z.array(z.enum(probeNames)).describe('what the topology needs of the registry and the report does not show'),
            })
            .optional()
            .describe('the newest check that has a report'),
        }).meta({ id: 'KnownRegistry', description: 'a registry and what is known of it' }),
      )
      .describe('all of the active topology, in the order of the file'),
  })
  .meta({ id: 'RegistryList', description: 'registries of the active topology' });
export type RegistryList = z.infer<typeof RegistryList>;

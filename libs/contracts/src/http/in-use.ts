import { z } from 'zod';
import { Count, Cursor, DigestText, Id, Page, Text, Timestamp } from './primitives.js';

const ReporterName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, 'not a name: lower-case letters, digits, ".", "_" and "-", at most 100')
  .describe('its name');
const patterns = (grammar: RegExp) => z.array(z.string().max(255).regex(grammar, 'not a pattern')).min(1).max(100);
const RegistryPatterns = patterns(/^[a-z0-9*?-]+$/).describe('patterns over names of registries');
const RepositoryPatterns = patterns(/^[a-z0-9._*?-]+(?:\/[a-z0-9._*?-]+)*$/).describe('patterns over repositories');

/** More digests than one report can carry run in no cluster; a fleet has a reporter for each. */
const maxDigests = 10_000;

export const ReportInUse = z
  .strictObject({
    reporter: ReporterName.describe('name of the reporter: it belongs to the principal that uses it first'),
    kind: Text(50).min(1).describe('what it looks at, e.g. kubernetes'),
    covers: z
      .strictObject({ registries: RegistryPatterns.default(['*']), repositories: RepositoryPatterns.default(['**']) })
      .prefault({})
      .describe('what it would see if it ran: this is unknown while the reporter is silent'),
    every: z
      .string()
      .regex(/^[1-9][0-9]{0,5}(?:s|m|h|d)$/, 'not a duration such as 5m or 1h')
      .describe('it reports at least this often; silent for more than three times as long it is missed'),
    digests: z
      .array(
        z
          .strictObject({
            digest: DigestText,
            registry: z.string().min(1).max(100).optional().describe('name of a registry of the topology; any when absent'),
            repository: Text(255).min(1).optional().describe('repository, relative to the registry’s prefix; any when absent'),
          })
          .describe('one digest that runs'),
      )
      .max(maxDigests)
      .describe('all that runs now: what is not named is no longer in use'),
  })
  .meta({ id: 'ReportInUse', description: 'all digests that a reporter sees running' });
export type ReportInUse = z.infer<typeof ReportInUse>;

export const RetireReporter = z
  .strictObject({ reason: Text(2000).min(1).describe('why nothing is to be expected of it any more') })
  .meta({ id: 'RetireReporter', description: 'a reporter is gone for good: its silence means nothing' });
export type RetireReporter = z.infer<typeof RetireReporter>;

export const InUseReporter = z
  .object({
    name: ReporterName,
    kind: z.string().describe('what it looks at'),
    principal: Id.describe('whose reports count under this name'),
    covers: z
      .object({ registries: z.array(z.string()).describe('patterns'), repositories: z.array(z.string()).describe('patterns') })
      .describe('what it sees'),
    everySeconds: Count.describe('it reports at least this often'),
    state: z
      .enum(['reporting', 'silent', 'retired'])
      .describe('silent: what it covers is unknown, and kept; retired: its silence means nothing'),
    digests: Count.describe('digests that it said run'),
    since: Timestamp.describe('its first report'),
    lastReportAt: Timestamp.describe('its last report'),
    retiredAt: Timestamp.optional().describe('when somebody retired it'),
    retiredBy: Id.optional().describe('principal that retired it'),
    retireReason: z.string().optional().describe('why'),
  })
  .meta({ id: 'InUseReporter', description: 'who tells which digests run somewhere' });
export type InUseReporter = z.infer<typeof InUseReporter>;

export const InUseReporterList = z
  .object({
    reporters: z.array(InUseReporter).describe('by name'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'InUseReporterList', description: 'reporters, by name' });
export type InUseReporterList = z.infer<typeof InUseReporterList>;

export const ListInUseReporters = Page;
export type ListInUseReporters = z.infer<typeof ListInUseReporters>;

import { Range } from 'semver';
import { z } from 'zod';
import { parseDuration } from '../duration.js';
import { repositoryGlobs, tagGlobs } from '../glob-schema.js';
import { Name, written } from '../schema-words.js';
import { parseSize } from '../size.js';
import { parseTagExpression } from '../tag-expression.js';
import { annotationGlobProblem, annotationKeyProblem } from './annotation-glob.js';
import { parseCron } from './cron.js';
import { parseTimeZone } from './local-time.js';

/** What a registry keeps: shape and words. What several keys mean together is checked in `checks/`. */

const longestSpan = 36_500 * 86_400_000;

const anySpan = '1ms';

/** A duration; one of nothing only where `shortest` says that nothing is a meaning. */
const Span = (description: string, shortest = anySpan): z.ZodString =>
  written((text) => {
    const ms = parseDuration(text);
    if (ms === undefined) return { code: 'value-invalid', problem: 'is no duration such as 30m, 24h or 7d' };
    if (ms > longestSpan) return { code: 'value-invalid', problem: 'must be at most 36500d' };
    if (ms >= (parseDuration(shortest) ?? 0)) return undefined;
    return { code: 'value-invalid', problem: shortest === anySpan ? 'must be longer than 0' : `must be at least ${shortest}` };
  }, description);

const CronText = written((text) => {
  const parsed = parseCron(text, 'UTC');
  return parsed.ok ? undefined : { code: 'schedule-invalid', problem: parsed.problem };
}, 'Minute, hour, day of month, month, day of week');

const TimeZoneName = written((text) => {
  const parsed = parseTimeZone(text);
  if (parsed.ok) return undefined;
  const { problem, suggestion } = parsed;
  return { code: 'timezone-unknown', problem, ...(suggestion === undefined ? {} : { suggestion }) };
}, 'IANA name, such as Europe/Berlin');

const Schedule = z.union([
  CronText,
  z.strictObject({
    cron: CronText,
    timezone: TimeZoneName.optional().meta({ default: 'UTC' }),
    window: Span('Nothing is begun later than this after the time').optional(),
  }),
]);

const Selection = z.union([repositoryGlobs, z.strictObject({ include: repositoryGlobs, exclude: repositoryGlobs.optional() })]);

const Expression = (description: string): z.ZodString =>
  written((text) => {
    const parsed = parseTagExpression(text);
    return parsed.ok ? undefined : { code: 'tags-invalid', problem: parsed.problem };
  }, description);

const longestRange = 255;

const SemverRange = written((text) => {
  if (text.trim() === '') return { code: 'semver-invalid', problem: 'is empty; "*" is every version' };
  if (text.length > longestRange) return { code: 'semver-invalid', problem: `is longer than ${longestRange} characters` };
  return isRange(text) ? undefined : { code: 'semver-invalid', problem: 'is no range such as ">=1.0.0" or "1.x"' };
}, 'Range of semantic versions, over tags with or without a leading v');

function isRange(text: string): boolean {
  try {
    return new Range(text).raw !== '';
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

const matching = (expression: RegExp, problem: string, description: string): z.ZodString =>
  written((text) => (text.length <= 255 && expression.test(text) ? undefined : { code: 'value-invalid', problem }), description);

const MediaType = matching(
  /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*$/,
  'is no media type such as application/vnd.oci.image.index.v1+json',
  'type/subtype',
);

const Platform = matching(
  /^[a-z0-9_.-]+\/[a-z0-9_.-]+(\/[a-z0-9_.-]+)?$/,
  'is no platform such as linux/amd64 or linux/arm/v7',
  'os/architecture[/variant]',
);

const AnnotationGlob = written((text) => {
  const problem = annotationGlobProblem(text);
  return problem === undefined ? undefined : { code: 'glob-invalid', problem };
}, 'Glob over the value: * and ?');

const Annotations = z
  .record(z.string(), AnnotationGlob)
  .superRefine((globs, context) => {
    for (const key of Object.keys(globs)) {
      const problem = annotationKeyProblem(key);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, path: [key], params: { at: 'key' } });
    }
  })
  .describe('All of them must match');

const RegistryOrAny = z.string().describe('Name of a registry, or any');

const some = (item: z.ZodString): z.ZodArray<z.ZodString> => z.array(item).min(1).max(100);

export const Match = z.strictObject({
  repositories: repositoryGlobs.optional(),
  tags: z
    .strictObject({
      glob: tagGlobs.optional(),
      regex: Expression('RE2 expression that the whole tag must match').optional(),
      semver: SemverRange.optional(),
    })
    .optional()
    .meta({ description: 'Exactly one of the three', minProperties: 1, maxProperties: 1 }),
  tagState: z.enum(['tagged', 'untagged', 'any']).optional(),
  mediaTypes: some(MediaType).optional().describe('Of the manifest'),
  artifactTypes: some(MediaType).optional(),
  platforms: some(Platform).optional().describe('The artifact has one of them'),
  annotations: Annotations.optional(),
  signed: z.boolean().optional(),
  promotedTo: RegistryOrAny.optional().describe('Waybill brought it to this registry, or to any'),
  source: RegistryOrAny.optional().describe('Waybill brought it here from this registry, or from any'),
});

const ageWords = ['pushed', 'pulled', 'created', 'tagged', 'lastActive'] as const;
const AgeOf = z.enum(ageWords);
const Duration = Span('Such as 14d');

export const Rule = z.strictObject({
  name: Name,
  action: z.enum(['keep', 'delete', 'archive', 'untag']).describe('keep wins over every other rule of every policy'),
  to: z.string().optional().describe('Registry of role archive; only with archive'),
  match: Match.optional().describe('All that is written must hold; without it every artifact'),
  criteria: z.enum(['any', 'all']).optional().describe('Of the criteria below; any for keep, all for what removes, unless said'),
  mostRecent: z
    .strictObject({
      by: z.enum(['pushed', 'pulled', 'created', 'tagged', 'semver', 'promoted']),
      count: z.int().min(1).max(1_000_000),
      groupBy: Expression('RE2 expression; tags with an equal first group, or whole match, are counted together').optional(),
    })
    .optional()
    .describe('Only with keep'),
  within: z.strictObject({ of: AgeOf, duration: Duration }).optional().describe('Only with keep'),
  olderThan: z.strictObject({ of: AgeOf, duration: Duration }).optional().describe('Not with keep'),
  absentFrom: z
    .strictObject({ registry: z.string(), duration: Duration })
    .optional()
    .describe('Not with keep: the digest has not been at that registry for so long'),
});

const Percentage = written((text) => {
  const [, digits] = /^(\d{1,3})%$/.exec(text) ?? [];
  return digits !== undefined && Number(digits) <= 100 ? undefined : { code: 'value-invalid', problem: 'is no percentage such as 20%' };
}, 'Such as 20%');

const Size = written((text) => {
  return parseSize(text) === undefined ? { code: 'value-invalid', problem: 'is no size such as 200MiB, 500GiB or 2TB' } : undefined;
}, 'Such as 500GiB');

const modes = ['disabled', 'dryRun', 'enforce'] as const;
const Mode = z.enum(modes).meta({ default: 'dryRun' });
const Count = z.int().min(0).max(1_000_000_000);

export const Policy = z.strictObject({
  name: Name,
  registry: z.string(),
  mode: Mode.optional().describe('dryRun plans; enforce acts, once the policy has been approved'),
  schedule: Schedule,
  repositories: Selection.describe('Globs over repositories: a list, or include and exclude'),
  rules: z.array(Rule).max(100).optional(),
  untagged: z.strictObject({ olderThan: Duration }).optional().describe('Removes what no tag refers to; without it that is kept'),
  protect: z
    .strictObject({
      immutable: tagGlobs.optional().describe('Tags never removed, beside the immutable tags of the registry'),
      minKeepPerRepository: Count.optional().meta({ default: 3 }),
      promotedWithin: Span('What was promoted from here stays so long', '0s').optional().meta({ default: '90d' }),
      rollbackDepth: Count.optional().meta({ default: 3 }).describe('Earlier digests of each kept tag that stay'),
    })
    .optional(),
  limits: z
    .strictObject({
      maxDeletePercent: z
        .union([Percentage, z.number().min(0).max(100)])
        .optional()
        .meta({ default: '20%' }),
      maxDeleteCount: Count.optional().meta({ default: 500 }),
      maxDeleteBytes: Size.optional().meta({ default: '500GiB' }),
    })
    .optional()
    .describe('What one run may remove without an approval of its own'),
  grace: z
    .strictObject({ markFor: Span('From the mark to the deletion', '0s') })
    .optional()
    .describe('24h unless said'),
  softDelete: z
    .union([z.literal('off'), z.strictObject({ ttl: Span('How long what was deleted can be brought back') })])
    .optional()
    .describe('7d unless said; off for none'),
});

/** `retention` of a registry: the usual policy of its role. */
export const RoleRetention = z.union([
  z.literal('default'),
  z.strictObject({ rules: z.literal('default'), mode: Mode.optional(), schedule: Schedule.optional() }),
]);

/** `wipe` of a sandbox. */
export const Wipe = z.strictObject({
  schedule: Schedule,
  keep: tagGlobs.optional().describe('Tags that survive'),
  mode: Mode.optional(),
});

/** `crawl` of a registry: how often its content is looked over. */
export const Crawl = z.strictObject({
  quick: Span('Between two looks at the names', '1m').optional().meta({ default: '15m' }),
  full: Span('Between two looks at every tag', '1h').optional().meta({ default: '24h' }),
});

export type PolicyEntry = z.output<typeof Policy>;
export type RuleEntry = z.output<typeof Rule>;
export type RegistryRetentionEntry = z.output<typeof RoleRetention>;
export type WipeEntry = z.output<typeof Wipe>;
export type CrawlEntry = z.output<typeof Crawl>;
export type ScheduleEntry = z.output<typeof Schedule>;

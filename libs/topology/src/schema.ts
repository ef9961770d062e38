import { capabilityDescriptions, type CapabilityName, capabilityNames, isRepositoryName, type RepositoryName } from '@waybill/oci-model';
import { z } from 'zod';
import { Credentials, Limits, Proxy, Resolve, Timeouts, Tls, TokenRealms } from './connection-schema.js';
import { repositoryGlobs, tagGlobs } from './glob-schema.js';
import { Notifications } from './notifications/schema.js';
import { parseRegistryUrl } from './registry-url.js';
import { Crawl, Match, Policy as RetentionPolicy, RoleRetention, Wipe } from './retention/schema.js';
import { roles } from './roles.js';
import { Name, written } from './schema-words.js';
import { parseTagExpression } from './tag-expression.js';
import { parseTemplate } from './template.js';

/**
 * The authority on the shape of a topology file. It says what one key may hold; what several
 * keys mean together is checked in `checks/`. The JSON Schema for editors is generated from here.
 */

const TagExpression = written((text) => {
  const parsed = parseTagExpression(text);
  return parsed.ok ? undefined : { code: 'tags-invalid', problem: parsed.problem };
}, 'RE2 expression that the whole tag must match');

const Template = written((text) => {
  const parsed = parseTemplate(text);
  if (parsed.ok) return undefined;
  const { problem, suggestion } = parsed;
  return { code: 'template-invalid', problem, ...(suggestion === undefined ? {} : { suggestion }) };
}, 'Target repository, made from {repository}, {name}, {namespace} and {registry}');

const Url = written((text) => {
  const parsed = parseRegistryUrl(text);
  return parsed.ok ? undefined : { code: parsed.code, problem: parsed.problem };
}, 'Origin of the registry: scheme, host and port');

const Prefix = written(
  (text) => (isRepositoryName(text) ? undefined : { code: 'value-invalid', problem: 'is not a repository name' }),
  'All repositories of this registry lie below it',
).transform((text) => text as RepositoryName);

const Location = z.strictObject({
  egress: z.record(Name, z.number().min(0)).optional().describe('Cost per GB of sending to the named location'),
});

const Capabilities = z.strictObject(
  Object.fromEntries(
    capabilityNames.map((name) => [name, z.boolean().optional().describe(`Whether the registry ${capabilityDescriptions[name]}`)]),
  ) as Record<CapabilityName, z.ZodOptional<z.ZodBoolean>>,
);

const Registry = z.strictObject({
  role: z.enum(roles).describe('What the registry is for; decides what may be promoted from and to it'),
  url: Url.optional(),
  local: z
    .union([z.literal(true), z.strictObject({ port: z.int().min(1).max(65535).optional() })])
    .optional()
    .describe('Run by `waybill up` on loopback instead of standing at a url'),
  location: z.string().optional().describe('Where the registry stands; only an upstream may do without'),
  prefix: Prefix.optional(),
  of: z.string().optional().describe('The prod registry that a replica repeats'),
  immutableTags: z
    .union([z.enum(['none', 'semver', 'all']), tagGlobs])
    .optional()
    .describe('Tags that are never moved once written: none, semver, all, or globs'),
  credentials: Credentials.optional(),
  tokenRealms: TokenRealms.optional(),
  insecure: z.boolean().optional().describe('Allow plain http beyond loopback'),
  tls: Tls.optional(),
  proxy: Proxy.optional().describe('The way to the registry; none without it, whatever the environment says'),
  resolve: Resolve.optional(),
  timeouts: Timeouts.optional().describe('How long to wait for what: 500ms, 10s, 5m'),
  limits: Limits.optional(),
  capabilities: Capabilities.optional().describe('What the registry can, where `waybill topology check` is not to be believed'),
  retention: RoleRetention.optional().describe('The usual retention of the role, where it has one'),
  wipe: Wipe.optional().describe('Sandboxes only: everything is removed, again and again'),
  crawl: Crawl.optional().describe('How often the content is looked over'),
  notifications: Notifications.optional().describe('The registry tells what happens there'),
});

const repositories = repositoryGlobs.describe('Globs over the repository at the source');
const targets = z.array(z.string()).min(1).max(50);

const Path = z.strictObject({
  from: z.string().describe('Source registry'),
  to: targets.describe('Target registries, by the role matrix'),
  repositories,
  tags: TagExpression,
  target: Template.optional().meta({ default: '{repository}' }),
});

const Replication = z.strictObject({
  from: z.string().describe('A prod registry'),
  to: targets.describe('Replicas of it'),
  repositories,
});

export const TopologyDocument = z
  .strictObject({
    apiVersion: z.literal('waybill/v1'),
    kind: z.literal('Topology'),
    metadata: z.strictObject({ name: Name }),
    locations: z.record(Name, Location),
    registries: z.record(Name, Registry),
    paths: z.record(Name, Path).optional(),
    replications: z.array(Replication).optional(),
    retention: z.array(RetentionPolicy).optional(),
  })
  .describe('Registries of a company, where they stand, and the paths along which images are promoted');
export type TopologyDocument = z.output<typeof TopologyDocument>;

/** Words of the design that no code stands behind yet: refused, with another message than a misspelling. */
export const plannedKeys = new Map<z.ZodType, readonly string[]>([
  [TopologyDocument, ['mirrors', 'access']],
  [Registry, ['naming']],
  [Limits, ['requestsPerSecond', 'bandwidth']],
  [Path, ['referrers', 'gates']],
  [Match, ['severityAtMost']],
]);

/** The JSON Schema (draft 7, which editors know best) of a topology file. */
export function topologyJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(TopologyDocument, { target: 'draft-7', io: 'input' });
}

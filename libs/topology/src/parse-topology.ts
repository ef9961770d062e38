import { LineCounter } from 'yaml';
import { archiveTargets } from './checks/archive-targets.js';
import { boldPolicies } from './checks/bold-policies.js';
import { collidingPaths } from './checks/colliding-paths.js';
import { credentialSources } from './checks/credential-sources.js';
import { duplicateTargets } from './checks/duplicate-targets.js';
import { idleRules } from './checks/idle-rules.js';
import { immutableTags } from './checks/immutable-tags.js';
import { impossibleUntags, type ProbedCapabilities } from './checks/impossible-untags.js';
import { missingCredentials } from './checks/missing-credentials.js';
import { missingKeys } from './checks/missing-keys.js';
import { notifications } from './checks/notifications.js';
import { overlappingRegistries } from './checks/overlapping-registries.js';
import { pathEdges } from './checks/path-edges.js';
import { pinnedAddresses } from './checks/pinned-addresses.js';
import { registryAddress } from './checks/registry-address.js';
import { replicaRetention } from './checks/replica-retention.js';
import { replicas } from './checks/replicas.js';
import { replicationEdges } from './checks/replication-edges.js';
import { reservedRepositories } from './checks/reserved-repositories.js';
import { retentionNames } from './checks/retention-names.js';
import { retentionRoles } from './checks/retention-roles.js';
import { ruleContradictions } from './checks/rule-contradictions.js';
import { scheduleWindows } from './checks/schedule-windows.js';
import { sharedSecrets } from './checks/shared-secrets.js';
import { tlsSettings } from './checks/tls-settings.js';
import { unknownNames } from './checks/unknown-names.js';
import type { Diagnostic } from './diagnostic.js';
import { DocumentIndex } from './document-index.js';
import { type Draft, draftOf } from './draft.js';
import { type Finding, pointerOf } from './finding.js';
import type { Topology } from './model.js';
import { readYaml, type TextProblem } from './read-yaml.js';
import { resolveTopology } from './resolve-topology.js';
import { TopologyDocument } from './schema.js';
import { schemaFindings } from './schema-findings.js';
import { tooManyEntries } from './too-many-entries.js';

const checks: readonly ((draft: Draft, probed: ProbedCapabilities) => Finding[])[] = [
  unknownNames,
  missingKeys,
  registryAddress,
  overlappingRegistries,
  reservedRepositories,
  immutableTags,
  replicas,
  pathEdges,
  duplicateTargets,
  collidingPaths,
  missingCredentials,
  credentialSources,
  sharedSecrets,
  notifications,
  tlsSettings,
  pinnedAddresses,
  replicationEdges,
  retentionNames,
  retentionRoles,
  replicaRetention,
  ruleContradictions,
  idleRules,
  archiveTargets,
  impossibleUntags,
  scheduleWindows,
  boldPolicies,
];

export interface ParsedTopology {
  /** Present when no diagnostic is an error. */
  readonly topology?: Topology;
  /** Sorted by position. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface ParseTopologyOptions {
  /** Only repeated in the diagnostics. */
  readonly file: string;
  /** What checks found of the registries that are there already, by name. */
  readonly probed?: ProbedCapabilities;
}

/**
 * Reads a topology file. Everything that is wrong with it is found in one run, unless the text
 * is no YAML. Never throws for what the text holds.
 */
export function parseTopology(text: string, { file, probed = new Map() }: ParseTopologyOptions): ParsedTopology {
  const lines = new LineCounter();
  const atOffset = (problem: TextProblem): Diagnostic => diagnosticOf({ ...problem, path: [] }, { file, lines, offset: problem.offset });
  const { document, problems } = readYaml(text, lines);
  if (document === undefined) return { diagnostics: inOrder(problems.map(atOffset)) };

  const index = new DocumentIndex(document);
  const duplicates = index.duplicateKeys(lines);
  const values = index.values();
  if (!values.ok) return { diagnostics: inOrder([...duplicates, ...values.problems].map(atOffset)) };

  const found = findingsOf(values.data, probed).map((finding) =>
    diagnosticOf(finding, { file, lines, offset: index.offsetOf(finding.path, finding.at ?? 'value') }),
  );
  const diagnostics = inOrder([...duplicates.map(atOffset), ...found]);
  if (diagnostics.some(({ severity }) => severity === 'error')) return { diagnostics };
  return { topology: resolveTopology(TopologyDocument.parse(values.data)), diagnostics };
}

function findingsOf(data: unknown, probed: ProbedCapabilities): Finding[] {
  const excess = tooManyEntries(data);
  if (excess.length > 0) return excess;
  const ofSchema = schemaFindings(TopologyDocument, data);
  const draft = draftOf(
    data,
    ofSchema.flatMap(({ unusable }) => (unusable === undefined ? [] : [unusable])),
  );
  return [...ofSchema, ...checks.flatMap((check) => check(draft, probed))];
}

interface Position {
  readonly file: string;
  readonly lines: LineCounter;
  readonly offset: number;
}

function diagnosticOf({ code, message, severity = 'error', path, suggestion }: Finding, { file, lines, offset }: Position): Diagnostic {
  const { line, col } = lines.linePos(offset);
  return {
    code,
    severity,
    message,
    file,
    line: Math.max(line, 1),
    column: Math.max(col, 1),
    path: pointerOf(path),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort((one, other) => one.line - other.line || one.column - other.column);
}

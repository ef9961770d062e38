/** Every kind of complaint about a topology file. docs/topology.md explains each with an example. */
export const diagnosticCodes = [
  // the document
  'yaml-syntax',
  'document-too-large',
  'document-empty',
  'document-multiple',
  'aliases-too-many',
  'key-duplicate',
  // one key or value
  'key-unknown',
  'key-missing',
  'not-implemented',
  'value-invalid',
  'name-invalid',
  'glob-invalid',
  'tags-invalid',
  'template-invalid',
  'semver-invalid',
  'schedule-invalid',
  'timezone-unknown',
  'url-invalid',
  'url-credentials',
  'url-insecure',
  // several keys together
  'registry-unknown',
  'location-unknown',
  'location-missing',
  'address-missing',
  'address-twice',
  'local-excludes',
  'local-port-taken',
  'insecure-unneeded',
  'tls-without-https',
  'tls-half',
  'resolve-behind-proxy',
  'registries-overlap',
  'repository-reserved',
  'credentials-missing',
  'credentials-source',
  'secret-shared',
  'notifications-role',
  'notifications-secret',
  'immutable-tags-loosened',
  'immutable-tags-not-ours',
  'replica-of-nothing',
  'replica-of-wrong-role',
  'of-on-non-replica',
  'target-duplicate',
  'path-to-itself',
  'role-forbids',
  'paths-collide',
  'replication-source',
  'replication-target',
  'replica-unfed',
  // retention
  'retention-duplicate',
  'retention-role',
  'rule-contradicts',
  'rule-idle',
  'archive-target',
  'untag-impossible',
  'window-too-long',
  'grace-short',
  'limits-open',
] as const;
export type DiagnosticCode = (typeof diagnosticCodes)[number];

export interface Diagnostic {
  readonly code: DiagnosticCode;
  /** A topology with an error is not used; a warning only wants to be read. */
  readonly severity: 'error' | 'warning';
  /** One line, lower-case, free of secrets. */
  readonly message: string;
  readonly file: string;
  /** Counted from 1, as is `column`. */
  readonly line: number;
  readonly column: number;
  /** JSON pointer (RFC 6901) to the key or value that is meant. */
  readonly path: string;
  /** The nearest valid word, where there is one. */
  readonly suggestion?: string;
}

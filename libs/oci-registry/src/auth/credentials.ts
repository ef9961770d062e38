import { createHash } from 'node:crypto';

/** Who we are at a registry. */
export type RegistryCredentials =
  /** A user and a password: sent to the registry as Basic, or to its token server for a token. */
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** What `docker login` calls an identity token, and OAuth a refresh token: goes to the token server only. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** A token that the registry itself takes, with no token server in between. */
  | { readonly kind: 'registry-token'; readonly token: string };

export interface ProvidedCredentials {
  readonly credentials: RegistryCredentials;
  /** When they stop working, if that is known. */
  readonly expiresAt?: Date;
}

/**
 * Where credentials come from. Asked before every request, so a provider keeps what is dear to get;
 * what it gives may change at any time.
 */
export interface CredentialProvider {
  /**
   * The credentials now; undefined for none, which means anonymous.
   * @throws ContentError `unauthorized` when they cannot be had, retryable where that may pass;
   *   the message holds no secret
   */
  get(signal?: AbortSignal): Promise<ProvidedCredentials | undefined>;
  /** The registry refused what was given: whatever is kept of it is worth nothing any more. */
  forget(): void;
}

/** Credentials by what they are for. Those for writing also read, and delete where no others are given; never the other way round. */
export interface CredentialProviders {
  readonly read?: CredentialProvider;
  /** For uploads, mounts, manifests and tags. */
  readonly write?: CredentialProvider;
  readonly delete?: CredentialProvider;
}

/** What a request does to a registry, and so whose credentials it carries. */
export type Access = 'read' | 'write' | 'delete';

/** RFC 7617, section 2, with UTF-8. */
export function basicHeader(username: string, password: string): string {
  return `Basic ${encoded(username, password)}`;
}

/** Every form in which credentials could turn up in text. */
export function secretsOf(credentials: RegistryCredentials): readonly string[] {
  if (credentials.kind !== 'basic') return [credentials.token, encodeURIComponent(credentials.token)];
  const { username, password } = credentials;
  const inForm = new URLSearchParams({ password }).toString().slice('password='.length);
  return [...new Set([password, encodeURIComponent(password), inForm, encoded(username, password)])];
}

/** A name for credentials that tells them apart and tells nobody what they are. */
export function fingerprintOf(credentials: RegistryCredentials | undefined): string {
  if (credentials === undefined) return 'anonymous';
  const parts = credentials.kind === 'basic' ? [credentials.username, credentials.password] : [credentials.token];
  return createHash('sha256')
    .update(JSON.stringify([credentials.kind, ...parts]))
    .digest('base64url');
}

function encoded(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
}

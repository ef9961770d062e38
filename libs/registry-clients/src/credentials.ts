import { ContentError } from '@waybill/oci-model';
import { basicCredentials, type CredentialProvider, type CredentialProviders } from '@waybill/oci-registry';
import type { CredentialSource, Registry } from '@waybill/topology';
import type { NamedSecrets } from './named-secrets.js';

/** What a client is for. To read needs no secret that only writing does. */
export type RegistryAccess = 'read' | 'write';

/** A provider, and what it was made of: as long as that is the same, so is the provider. */
interface Sourced {
  readonly provider: CredentialProvider;
  readonly madeOf: unknown;
}

export interface SourcedCredentials {
  readonly providers: CredentialProviders;
  readonly madeOf: unknown;
}

/**
 * The credentials of a client. One for reading has those for reading, or those for writing if they can be had,
 * as one for writing reads with them too. Those for deletion are missed only by whoever deletes.
 *
 * @throws ContentError `unauthorized` for a secret that is missing or malformed; its value is never named
 */
export function credentialsOf({ credentials = {} }: Registry, access: RegistryAccess, secrets: NamedSecrets): SourcedCredentials {
  const read = sourced(credentials.read, secrets);
  if (access === 'read') return together({ read: read ?? ifUsable(() => sourced(credentials.write, secrets)) });
  return together({
    read,
    write: sourced(credentials.write, secrets),
    delete: atLeastLater(() => sourced(credentials.delete, secrets)),
  });
}

function sourced(source: CredentialSource | undefined, secrets: NamedSecrets): Sourced | undefined {
  if (source === undefined) return undefined;
  if ('secret' in source) {
    const { username, password } = secrets.basic(source.secret);
    return { provider: basicCredentials(username, password), madeOf: [username, password] };
  }
  throw new ContentError('credentials come from named secrets only so far, neither from Docker configurations nor from helpers', {
    code: 'unsupported',
    operation: 'read credentials',
  });
}

function together(parts: Readonly<Record<string, Sourced | undefined>>): SourcedCredentials {
  const present = Object.entries(parts).flatMap(([access, part]) => (part === undefined ? [] : [[access, part] as const]));
  return {
    providers: Object.fromEntries(present.map(([access, { provider }]) => [access, provider])),
    madeOf: present.map(([access, { madeOf }]) => [access, madeOf]),
  };
}

/** A secret for writing that cannot be used is no reason not to read what everyone may read. */
function ifUsable(get: () => Sourced | undefined): Sourced | undefined {
  try {
    return get();
  } catch (error) {
    if (error instanceof ContentError) return undefined;
    throw error;
  }
}

/** Credentials that cannot be had now fail when they are asked for: others must not take their place. */
function atLeastLater(get: () => Sourced | undefined): Sourced | undefined {
  try {
    return get();
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    const provider: CredentialProvider = { get: () => Promise.reject(error), forget: () => undefined };
    return { provider, madeOf: error.message };
  }
}

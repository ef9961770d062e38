import type { BasicSecret } from '@waybill/config';
import { ContentError } from '@waybill/oci-model';
import { type CredentialProvider, type CredentialProviders, dockerConfigCredentials } from '@waybill/oci-registry';
import type { CredentialSource, Registry } from '@waybill/topology';
import type { NamedSecrets } from './named-secrets.js';
import { secretCredentials } from './secret-credentials.js';

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

export interface Place {
  readonly secrets: NamedSecrets;
  /** Host and port of the registry, under which Docker configurations and helpers know it. */
  readonly host: string;
  /** What helpers get as environment. */
  readonly helperEnvironment: Readonly<Record<string, string>>;
}

/**
 * The credentials of a client. One for reading has those for reading, or those for writing if they can be had,
 * as one for writing reads with them too. Those for deletion are missed only by whoever deletes.
 *
 * @throws ContentError `unauthorized` for a secret that is missing or malformed; its value is never named
 */
export function credentialsOf({ credentials = {} }: Registry, access: RegistryAccess, place: Place): SourcedCredentials {
  const read = sourced(credentials.read, place);
  if (access === 'read') return together({ read: read ?? ifUsable(() => sourced(credentials.write, place)) });
  return together({
    read,
    write: sourced(credentials.write, place),
    delete: atLeastLater(() => sourced(credentials.delete, place)),
  });
}

function sourced(source: CredentialSource | undefined, place: Place): Sourced | undefined {
  if (source === undefined) return undefined;
  const { secrets, host, helperEnvironment: environment } = place;
  const fromConfig = (read: () => string): CredentialProvider =>
    dockerConfigCredentials({ config: { read: async () => read() }, host, helpers: { environment } });
  if ('secret' in source) {
    const read = (): BasicSecret => secrets.basic(source.secret);
    return { provider: secretCredentials(read), madeOf: [source, read()] };
  }
  if ('dockerConfig' in source) {
    const read = (): string => secrets.text(source.dockerConfig, 'the text of a Docker config.json');
    read(); // so that a missing one is missed at once
    return { provider: fromConfig(read), madeOf: source };
  }
  // A Docker configuration of one line, since Docker Hub goes by another name with helpers.
  const config = JSON.stringify({ credHelpers: { [host]: source.helper } });
  return { provider: fromConfig(() => config), madeOf: source };
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

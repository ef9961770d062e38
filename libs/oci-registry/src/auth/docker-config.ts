import { ContentError } from '@waybill/oci-model';
import { z } from 'zod';
import type { RegistryCredentials } from './credentials.js';

/** What a Docker configuration file (`config.json`) says about one registry. */
export interface DockerConfigEntry {
  /** The helper to ask, as `docker-credential-<helper>`; what the file itself holds counts when that has nothing. */
  readonly helper?: { readonly name: string; readonly server: string };
  readonly credentials?: RegistryCredentials;
}

const AuthEntry = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});
type AuthEntry = z.infer<typeof AuthEntry>;

const DockerConfig = z.object({
  auths: z.record(z.string(), z.unknown()).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});

/** Docker's own name for Docker Hub, under which its clients keep the credentials. */
const hubServer = 'https://index.docker.io/v1/';
const hubHosts: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);
/** A key may be an address, as older clients wrote it; a longer path is another tool's name for a namespace. */
const hostKey = /^(?:https?:\/\/)?([^/]+)(?:\/|\/v[12]\/?)?$/;

/**
 * What the text of a Docker configuration says of a registry's host and port. As Docker reads it: a helper for
 * this host before the store for all, and either before `auths`.
 * @throws ContentError `unauthorized` for a text that is no such configuration
 */
export function dockerConfigEntry(text: string, host: string): DockerConfigEntry {
  const { auths, credHelpers, credsStore } = parse(text);
  const server = hubHosts.has(host) ? hubServer : host;
  const name = entryOf(credHelpers ?? {}, host) ?? (credsStore === '' ? undefined : (credsStore ?? undefined));
  const credentials = credentialsOf(entryOf(auths ?? {}, host), host);
  return { ...(name === undefined ? {} : { helper: { name, server } }), ...(credentials === undefined ? {} : { credentials }) };
}

function parse(text: string): z.infer<typeof DockerConfig> {
  try {
    return DockerConfig.parse(JSON.parse(text));
  } catch {
    // Neither Zod's nor JSON's own words: they quote what they read.
    throw unusable('the Docker configuration is no JSON of the known form');
  }
}

function entryOf<Entry>(entries: Readonly<Record<string, Entry>>, host: string): Entry | undefined {
  const keys = Object.keys(entries);
  const key = keys.find((each) => each === host) ?? keys.find((each) => isKeyOf(each, host));
  return key === undefined ? undefined : entries[key];
}

function isKeyOf(key: string, host: string): boolean {
  const named = hostKey.exec(key)?.[1];
  if (named === undefined) return false;
  return named === host || (hubHosts.has(named) && hubHosts.has(host));
}

function credentialsOf(entry: unknown, host: string): RegistryCredentials | undefined {
  if (entry === undefined) return undefined;
  const parsed = AuthEntry.safeParse(entry);
  if (!parsed.success) throw unusable(`the Docker configuration's entry of ${host} is malformed`);
  const { registrytoken, identitytoken } = parsed.data;
  if (isGiven(registrytoken)) return { kind: 'registry-token', token: registrytoken };
  if (isGiven(identitytoken)) return { kind: 'identity-token', token: identitytoken };
  return basicOf(parsed.data, host);
}

function basicOf({ auth, username, password }: AuthEntry, host: string): RegistryCredentials | undefined {
  if (isGiven(username) && isGiven(password)) return { kind: 'basic', username, password };
  if (!isGiven(auth)) return undefined; // an entry that only says that the helper knows it
  const decoded = Buffer.from(auth, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 1) throw unusable(`the Docker configuration's entry of ${host} has an "auth" that is not username:password in base64`);
  const secret = decoded.slice(colon + 1).replace(/\0+$/, ''); // Docker has written it with padding
  return secret === '' ? undefined : { kind: 'basic', username: decoded.slice(0, colon), password: secret };
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function unusable(message: string): ContentError {
  return new ContentError(message, { code: 'unauthorized', operation: 'read credentials' });
}

import { afterEach } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import type { ProbeName, ProbeResult, RegistryReport } from '@waybill/oci-model';
import type { RegistryClientOptions } from '../options.js';
import { RegistryClient } from '../registry-client.js';
import { checkContent, checkRepositories } from './check-content.js';
import type { CheckOptions } from './registry-check.js';

export const [one, two] = checkRepositories;

const clients: RegistryClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

/** A client that ends with the test. */
export function clientOf(origin: string, options: Partial<RegistryClientOptions> = {}): RegistryClient {
  const client = new RegistryClient({ origin, ...options });
  clients.push(client);
  return client;
}

export function outcomesOf(report: RegistryReport): Partial<Record<ProbeName, string>> {
  return Object.fromEntries(report.probes.map(({ probe, outcome }) => [probe, outcome]));
}

export function failuresOf({ probes }: RegistryReport): readonly ProbeResult[] {
  return probes.filter(({ outcome }) => outcome === 'failed');
}

/** What is there of a check: manifests and blobs of both repositories that answer. */
export async function remainsOf(client: RegistryClient, id: string): Promise<string[]> {
  const content = checkContent(id);
  const remains: string[] = [];
  for (const [name, { digest }] of Object.entries({
    image: content.image,
    first: content.first,
    second: content.second,
    referrer: content.referrer,
  })) {
    const isThere = await client
      .repository(one)
      .readManifest(digest)
      .then(
        () => true,
        () => false,
      );
    if (isThere) remains.push(name);
  }
  for (const repository of [one, two]) {
    for (const [name, blob] of Object.entries({
      config: content.config,
      layer: content.layer,
      chunked: content.chunked,
      spare: content.spare,
    })) {
      if (await client.repository(repository).probeBlob(blob)) remains.push(`${name} in ${repository}`);
    }
  }
  return remains;
}

/** Always the same id. */
export function knownId(id: string): Pick<CheckOptions, 'ids'> {
  return { ids: { next: () => id } };
}

/** An id of a check of today. */
export const now = uuidV7.next();

/** Everything that something lists. */
export async function allOf<T>(listing: AsyncIterable<T>): Promise<T[]> {
  const listed: T[] = [];
  for await (const each of listing) listed.push(each);
  return listed;
}

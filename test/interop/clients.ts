import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findServer, makeTestFolder, type ServerName } from '@waybill/testing';
import type { StartedRegistry } from './registries.js';

/** A home folder for other people's clients. They find in it who they are, and nothing of this machine's user. */
export interface ClientHome {
  readonly folder: string;
  /** Runs a client; gives what it prints, and rejects with what it complains of. */
  run(client: ServerName, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Buffer>;
  dispose(): Promise<void>;
}

/** Makes a home whose owner is logged in at `registries`, as `docker login` leaves it. */
export async function makeClientHome(registries: readonly StartedRegistry[]): Promise<ClientHome> {
  const folder = await makeTestFolder('client-');
  const config = join(folder, 'config.json');
  const auths = registries.flatMap(({ host, user }) => (user === undefined ? [] : [[host, { auth: encoded(user) }] as const]));
  await writeFile(config, JSON.stringify({ auths: Object.fromEntries(auths) }));
  // Without the proxies of this machine's user: everything a client may ask for is on loopback.
  const base = { PATH: process.env['PATH'] ?? '', HOME: folder, DOCKER_CONFIG: folder, REGISTRY_AUTH_FILE: config };
  return {
    folder,
    run: async (client, args, env = {}) => {
      const program = findServer(client);
      if (program === undefined) throw new Error(`${client} is not here: guard the suite with describeWith`);
      const options = { encoding: 'buffer', timeout: 60_000, maxBuffer: 8 * 1024 * 1024, env: { ...base, ...env } } as const;
      return (await promisify(execFile)(program.path, args, options)).stdout;
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

function encoded({ username, password }: { readonly username: string; readonly password: string }): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

/** What a client pulls, and the OCI layout that it writes. */
export interface Pull {
  readonly host: string;
  /** `name:tag` */
  readonly image: string;
  readonly layout: string;
}

/** A client that judges what we copied: it pulls an image whole, every platform of it, into a layout. */
export interface Judge {
  readonly client: ServerName;
  /** Takes an index within an index. */
  readonly nests: boolean;
  /** Pulls what refers to the image as well: to the image itself (and to that in turn), or to anything within it too. */
  readonly pullsReferrers: 'none' | 'of the root' | 'of everything';
  readonly argumentsOf: (pull: Pull) => readonly string[];
}

export const judges: readonly Judge[] = [
  {
    client: 'skopeo',
    nests: false,
    pullsReferrers: 'none',
    argumentsOf: ({ host, image, layout }) => [
      ...['copy', '--quiet', '--all', '--preserve-digests', '--src-tls-verify=false'],
      ...[`docker://${host}/${image}`, `oci:${layout}:pulled`],
    ],
  },
  {
    client: 'crane',
    nests: true,
    pullsReferrers: 'none',
    argumentsOf: ({ host, image, layout }) => ['pull', '--format=oci', '--insecure', `${host}/${image}`, layout],
  },
  {
    client: 'regctl',
    nests: true,
    pullsReferrers: 'of everything',
    argumentsOf: ({ host, image, layout }) => [
      ...['--host', `reg=${host},tls=disabled`, 'image', 'copy', '--referrers', '--digest-tags'],
      ...[`${host}/${image}`, `ocidir://${layout}:pulled`],
    ],
  },
  {
    client: 'oras',
    nests: true,
    pullsReferrers: 'of the root',
    argumentsOf: ({ host, image, layout }) => [
      ...['copy', '--recursive', '--from-plain-http', '--to-oci-layout', '--no-tty'],
      ...[`${host}/${image}`, `${layout}:pulled`],
    ],
  },
];

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OciLayout } from '@waybill/oci-layout';
import { type ContentStore, parseRepositoryName } from '@waybill/oci-model';
import type { RequestEvent } from '@waybill/oci-registry';
import { makeTestFolder, type ServerName } from '@waybill/testing';
import { type Admission, clientOf, isWrite, type RegistryKind, registryKinds, type StartedRegistry } from './registries.js';

/** Somewhere that content is copied from and to, and that tells whether it was written to. */
export interface Place {
  /** Where a registry is to be found by its clients. */
  readonly registry?: StartedRegistry;
  /** The content beneath one name; what is beneath another is no part of it. */
  store(name: string): Promise<ContentStore>;
  /** Does the work; gives what it changed here, in words. */
  changesDuring(work: () => Promise<unknown>): Promise<readonly string[]>;
  dispose(): Promise<void>;
}

export interface PlaceKind {
  readonly name: string;
  readonly needs: readonly ServerName[];
  open(): Promise<Place>;
}

/** Every kind of registry, open to everyone, and layouts on disk. */
export const openPlaces: readonly PlaceKind[] = [...placesWith('open'), { name: 'an OCI layout', needs: [], open: openLayouts }];

/** The kinds of registry that can let their clients in in that way. */
export function placesWith(admission: Admission): readonly PlaceKind[] {
  return registryKinds
    .filter(({ admissions }) => admissions.includes(admission))
    .map((kind) => ({
      name: admission === 'open' ? kind.name : `${kind.name}, ${admission}`,
      needs: kind.needs,
      open: () => openRegistry(kind, admission),
    }));
}

async function openRegistry(kind: RegistryKind, admission: Admission): Promise<Place> {
  const registry = await kind.start(admission);
  let events: RequestEvent[] = [];
  const client = clientOf(registry, { observe: (event) => events.push(event) });
  return {
    registry,
    store: async (name) => client.repository(parseRepositoryName(name)),
    changesDuring: async (work) => {
      events = [];
      await work();
      return events.filter(isWrite).map((event) => `${event.method} ${event.kind} ${event.status ?? event.error}`);
    },
    dispose: async () => {
      client.close();
      await registry.stop();
    },
  };
}

async function openLayouts(): Promise<Place> {
  const folder = await makeTestFolder('layouts-');
  return {
    store: async (name) => (await OciLayout.create(join(folder, name.replaceAll('/', '-')))).store(),
    changesDuring: async (work) => {
      const before = await stateOf(folder);
      await work();
      const after = await stateOf(folder);
      const written = [...after].filter(([file, state]) => before.get(file) !== state).map(([file]) => file);
      const gone = [...before.keys()].filter((file) => !after.has(file)).map((file) => `${file} is gone`);
      return [...written, ...gone];
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Every file beneath the folder, with what changes when it is written. */
async function stateOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const states = files
    .filter((file) => file.isFile())
    .map(async ({ parentPath, name }) => {
      const file = join(parentPath, name);
      const { ino, mtimeMs, size } = await stat(file);
      return [file, `${ino} ${mtimeMs} ${size}`] as const;
    });
  return new Map(await Promise.all(states));
}

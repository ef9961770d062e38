import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { formatDiagnostic, parseTopology } from '@waybill/topology';
import { parse } from 'yaml';

interface Registry {
  readonly role: string;
  readonly location?: string;
  readonly of?: string;
  readonly url?: string;
  readonly local?: true;
  readonly credentials?: Readonly<Record<'read' | 'write', { readonly secret: string }>>;
}
interface Topology {
  readonly locations: object;
  readonly registries: Readonly<Record<string, Registry>>;
  readonly paths: object;
  readonly replications: readonly object[];
}
interface Service {
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
}

const read = (file: string) => readFileSync(path.resolve(import.meta.dirname, '..', file), 'utf8');
const readYaml = (file: string): unknown => parse(read(file), { merge: true });

const example = readYaml('topology.example.yaml') as Topology;
const composed = readYaml('deploy/topology.compose.yaml') as Topology;
const { services } = readYaml('docker-compose.yml') as { readonly services: Readonly<Record<string, Service>> };

const ownRegistries = Object.entries(composed.registries).filter(([, { role }]) => role !== 'upstream');

describe('deploy/topology.compose.yaml', () => {
  it('is valid', () => {
    const parsed = parseTopology(read('deploy/topology.compose.yaml'), { file: 'deploy/topology.compose.yaml' });

    expect(parsed.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic))).toEqual([]);
  });

  it('declares what the example declares', () => {
    const shape = ({ registries, locations, paths, replications }: Topology) => ({
      locations,
      paths,
      replications,
      registries: Object.entries(registries).map(([name, { role, location, of }]) => ({ name, role, location, of })),
    });

    expect(shape(composed)).toEqual(shape(example));
  });

  it.each(ownRegistries)('finds %s among the services', (name, { url }) => {
    expect(url).toBe(`http://${name}:5000`);
    expect(services[name]?.image).toMatch(/^registry:/);
  });

  it('names only secrets that both processes are given', () => {
    const secrets = ownRegistries.flatMap(([, { credentials }]) => Object.values(credentials ?? {}).map(({ secret }) => secret));
    const variables = [...new Set(secrets)].map((secret) => `WAYBILL_SECRET_${secret.toUpperCase().replaceAll('-', '_')}`);

    expect(variables.length).toBeGreaterThan(0);
    for (const process of ['api', 'worker']) {
      expect(Object.keys(services[process]?.environment ?? {})).toEqual(expect.arrayContaining(variables));
    }
  });
});

describe('docker-compose.yml', () => {
  it('runs no registry that the topology does not name', () => {
    const registries = Object.entries(services).filter(([, { image }]) => image.startsWith('registry:'));

    expect(registries.map(([name]) => name).sort()).toEqual(ownRegistries.map(([name]) => name).sort());
  });
});

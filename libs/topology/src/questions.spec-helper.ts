import type { RepositoryName } from '@waybill/oci-model';
import type { PromotionPath, Topology } from './model.js';
import { parseTopology } from './parse-topology.js';
import { type Planted, topologyText } from './planted.spec-helper.js';

/** The sound topology of the specs, with more lines in its sections. */
export function topologyWith(planted: Planted = {}): Topology {
  const { topology, diagnostics } = parseTopology(topologyText(planted), { file: 'spec.yaml' });
  if (topology === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return topology;
}

export function pathWith(differences: Partial<PromotionPath> = {}): PromotionPath {
  return {
    name: 'release',
    from: 'snapshots',
    to: ['prod'],
    repositories: ['team-*/**'],
    tags: 'v[0-9]+',
    target: '{repository}',
    ...differences,
  };
}

export function repository(name: string): RepositoryName {
  return name as RepositoryName;
}

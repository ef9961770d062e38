import type { Diagnostic } from './diagnostic.js';
import { parseTopology } from './parse-topology.js';

/** Marks the place in a text where a diagnostic is expected. */
const mark = '▶';

/** A sound topology, to which mistakes are added. */
export interface Planted {
  readonly locations?: string;
  readonly registries?: string;
  readonly paths?: string;
  readonly replications?: string;
  readonly retention?: string;
}

const sound: Required<Planted> = {
  locations: 'eu: {}\nus: {}',
  registries: [
    'box: { role: sandbox, location: eu, local: true }',
    'tests: { role: ci-tests, location: eu, local: true }',
    'snapshots: { role: ci-snapshots, location: eu, local: true }',
    'stage: { role: staging, location: eu, local: true }',
    'prod: { role: prod, location: eu, local: true }',
    'prod-us: { role: replica, of: prod, location: us, local: true }',
    'archive: { role: archive, location: eu, local: true }',
    'mirror: { role: cache, location: eu, local: true }',
    'hub: { role: upstream, url: "https://registry-1.docker.io" }',
  ].join('\n'),
  paths: 'verify: { from: tests, to: [snapshots], repositories: ["**"], tags: ".*" }',
  replications: '- { from: prod, to: [prod-us], repositories: ["**"] }',
  retention: '- { name: sound, registry: tests, schedule: "0 3 * * *", repositories: ["**"], untagged: { olderThan: 7d } }',
};

/** The text of a topology; lines given for a section follow its sound ones. */
export function topologyText(planted: Planted = {}): string {
  const sections = (Object.keys(sound) as (keyof Planted)[]).map((section) => {
    const lines = [...sound[section].split('\n'), ...(planted[section]?.split('\n') ?? [])];
    return [`${section}:`, ...lines.map((line) => `  ${line}`)].join('\n');
  });
  return ['apiVersion: waybill/v1', 'kind: Topology', 'metadata: { name: spec }', ...sections, ''].join('\n');
}

/** `code line:column` of each diagnostic, and of the marks what they should be at. */
export function diagnose(marked: string): { readonly found: readonly Diagnostic[]; readonly marks: readonly string[] } {
  const pieces = marked.split(mark);
  const marks = pieces.slice(0, -1).map((_piece, index) => {
    const before = pieces.slice(0, index + 1).join('');
    const lines = before.split('\n');
    return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
  });
  return { found: parseTopology(pieces.join(''), { file: 'spec.yaml' }).diagnostics, marks };
}

export function placeOf({ line, column }: Diagnostic): string {
  return `${line}:${column}`;
}

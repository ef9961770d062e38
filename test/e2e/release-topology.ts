/**
 * Text of a topology file in one location: `ci-snapshots`, and the path `release` for everything in it to the targets,
 * each called by its role. All registries are local ones.
 */
export function releaseTopology(...targets: readonly ('staging' | 'prod')[]): string {
  const registries = ['ci-snapshots', ...targets].map((name) => `  ${name}: { role: ${name}, location: eu, local: true }`);
  return `
apiVersion: waybill/v1
kind: Topology
metadata: { name: e2e }
locations: { eu: {} }
registries:
${registries.join('\n')}
paths:
  release: { from: ci-snapshots, to: [${targets.join(', ')}], repositories: ['**'], tags: '.*' }
`;
}

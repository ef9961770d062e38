/** Two paths to Prod, of which one can be paused alone; and a policy that acts, whose trash holds what goes for so long. */
export function topologyWith(ttl: string): string {
  return `apiVersion: waybill/v1
kind: Topology
metadata: { name: endurance }
locations: { eu: {} }
registries:
  ci-snapshots: { role: ci-snapshots, location: eu, local: true }
  prod: { role: prod, location: eu, local: true }
paths:
  release: { from: ci-snapshots, to: [prod], repositories: ['**'], tags: '.*' }
  held: { from: ci-snapshots, to: [prod], repositories: ['**'], tags: '.*' }
retention:
  - name: branches
    registry: ci-snapshots
    mode: enforce
    schedule: '0 3 1 1 *'
    repositories: ['**']
    rules:
      - { name: releases, action: keep, match: { tags: { semver: '>=1.0.0' } } }
      - { name: branches, action: delete, match: { tags: { glob: ['br-*'] } } }
    protect: { minKeepPerRepository: 0, promotedWithin: 0ms, rollbackDepth: 0 }
    limits: { maxDeletePercent: 100, maxDeleteCount: 1000000 }
    grace: { markFor: 1s }
    softDelete: { ttl: ${ttl} }
`;
}

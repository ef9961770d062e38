import type { ProblemCode } from '@waybill/contracts/http';

/** Why what is asked for cannot be promoted, or not now. */
export const requestProblems: readonly ProblemCode[] = [
  'reference-invalid',
  'no-topology',
  'path-unknown',
  'registry-unknown',
  'repository-unknown',
  'tag-unknown',
  'digest-unknown',
  'source-mismatch',
  'not-admitted',
  'tag-missing',
  'tag-reserved',
  'duplicate-target',
  'target-invalid',
  'source-unreachable',
  'source-refused',
  'source-broken',
];

import type { Grant } from './grants.js';

/** Who acts. Names are kept elsewhere, erasable; this is all that records hold. */
export interface Principal {
  readonly id: string;
  readonly kind: 'person' | 'service' | 'ci-workload';
  readonly issuer: string;
  readonly subject: string;
}

/** An authenticated request's principal and what its key allows. */
export interface Actor {
  readonly principal: Principal;
  readonly keyId: string;
  readonly grants: readonly Grant[];
}

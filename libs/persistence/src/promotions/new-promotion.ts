import type { Estimate, Intent, ResolvedItem } from '@waybill/promotion';

/** A promotion as it is to be recorded, everything resolved and pinned. */
export interface NewPromotion {
  readonly id: string;
  readonly path: string;
  readonly revision: number;
  readonly requestedBy: string;
  readonly onBehalfOf?: { readonly issuer: string; readonly subject: string };
  readonly reason?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly externalRef?: string;
  readonly intent: Intent;
  /** SHA-256 of the intent, 32 bytes. */
  readonly intentHash: Uint8Array<ArrayBuffer>;
  readonly estimate: Estimate;
  readonly items: readonly ResolvedItem[];
}

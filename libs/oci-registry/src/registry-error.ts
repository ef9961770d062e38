import type { ErrorFacts } from '@waybill/kernel';
import { ContentError, type ContentErrorCode } from '@waybill/oci-model';

/** One entry of `errors[]` in an answer (distribution-spec v1.1.1, "Error Codes"), shortened and stripped. */
export interface ReportedError {
  readonly code: string;
  readonly message: string;
}

export interface RegistryErrorFacts extends ErrorFacts<ContentErrorCode> {
  /** Host and port of the registry, also when a host it redirected to is at fault. */
  readonly host: string;
  readonly status?: number;
  readonly registryErrors?: readonly ReportedError[];
}

/** What a registry, or the way to it, did wrong. Holds no address and no secret. */
export class RegistryError extends ContentError {
  readonly host: string;
  readonly status: number | undefined;
  readonly registryErrors: readonly ReportedError[];

  constructor(message: string, facts: RegistryErrorFacts) {
    super(message, facts);
    this.host = facts.host;
    this.status = facts.status;
    this.registryErrors = facts.registryErrors ?? [];
  }
}

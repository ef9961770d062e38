import { WaybillError } from '@waybill/kernel';
import type { ProbeFailureCode } from '@waybill/oci-model';

/** The registry answered, and the answers are what is wrong. */
export class ProbeFailure extends WaybillError<ProbeFailureCode> {}

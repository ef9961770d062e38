import { WaybillError } from '@waybill/kernel';

export type TopologyErrorCode =
  | 'path-unknown' // no such path in this topology
  | 'registry-unknown' // no such registry in this topology
  | 'target-invalid'; // a path's template makes no repository name of this source

/** Raised when a question names what the topology does not have. `details.near` lists near names. */
export class TopologyError extends WaybillError<TopologyErrorCode> {}

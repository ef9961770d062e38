import type { RepositoryName } from '@waybill/oci-model';
import type { Connection } from './connection.js';

/** One repository at one registry: what every verb works in. */
export interface RepositoryScope {
  readonly connection: Connection;
  /** The logical name, without the registry's prefix. */
  readonly name: RepositoryName;
  /** `/v2/<prefix>/<name>` */
  readonly path: string;
}

import type { RegistryReport, RepositoryName } from '@waybill/oci-model';
import { discard } from './body.js';
import { probeRegistry } from './capabilities/probe-registry.js';
import type { CheckOptions } from './capabilities/registry-check.js';
import { Connection } from './connection.js';
import type { RegistryClientOptions } from './options.js';
import { listRepositories } from './repositories.js';
import { RepositoryClient } from './repository-client.js';
import { retrying } from './retry.js';

/** A client of one registry (distribution-spec v1.1.1). Holds connections until `close`. */
export class RegistryClient {
  readonly #connection: Connection;

  /** @throws RegistryError `reference-invalid` for an origin that is none */
  constructor(options: RegistryClientOptions) {
    this.#connection = new Connection(options);
  }

  /** Host and port, as errors name it. */
  get host(): string {
    return this.#connection.host;
  }

  /**
   * The repository of that logical name; the registry's prefix is put before it.
   * @throws ContentError `reference-invalid` when the joined name is too long
   */
  repository(name: RepositoryName): RepositoryClient {
    return new RepositoryClient(this.#connection, name);
  }

  /** Is this a registry that lets us in? Rejects with `unauthorized`, `unreachable` and the like. */
  async ping(signal?: AbortSignal): Promise<void> {
    const connection = this.#connection;
    const operation = 'ping';
    await retrying({ connection, operation, signal }, async () => {
      const answer = await connection.send({ method: 'GET', url: '/v2/', kind: 'ping', operation, access: 'read', signal });
      if (answer.status !== 200) throw await connection.refusal(answer, { operation });
      await discard(answer);
    });
  }

  /**
   * What the registry's catalogue lists below the prefix, without the prefix. Distribution has one; others
   * say `not-found`, `unsupported`, `unauthorized` or `denied`.
   */
  listRepositories(signal?: AbortSignal): AsyncIterable<RepositoryName> {
    return listRepositories(this.#connection, signal);
  }

  /**
   * Asks the registry what it lets us do and what it can: in `waybill-check/…` beneath the prefix, and cleaned up after.
   * Rejects with `aborted` only; what goes wrong is in the report.
   */
  async check(options: CheckOptions = {}): Promise<RegistryReport> {
    return await probeRegistry(this.#connection, options);
  }

  /** Ends all connections; whatever is under way breaks. */
  close(): void {
    this.#connection.close();
  }
}

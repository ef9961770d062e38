import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FaultRule, type LocalRegistry, startLocalRegistry } from '@waybill/local-registry';
import { parseRepositoryName } from '@waybill/oci-model';
import { RegistryClient, type RepositoryClient } from '@waybill/oci-registry';

/** A registry in this process that notes its requests, and does wrong where it is told to. */
export class RegistryUnderTest {
  /** Method, path and query, in order. */
  readonly requests: string[] = [];
  fault: FaultRule | undefined;
  readonly #dataDir: string;
  readonly #client: RegistryClient;
  readonly #server: LocalRegistry;

  private constructor(dataDir: string, server: LocalRegistry) {
    this.#dataDir = dataDir;
    this.#server = server;
    this.#client = new RegistryClient({ origin: server.url });
  }

  static async start(): Promise<RegistryUnderTest> {
    const dataDir = await mkdtemp(join(tmpdir(), 'waybill-worker-spec-'));
    const server = await startLocalRegistry({
      dataDir,
      onRequest: (request) => {
        const query = request.query.toString();
        registry.requests.push(`${request.method} ${request.path}${query === '' ? '' : `?${query}`}`);
        return registry.fault?.(request);
      },
    });
    const registry = new RegistryUnderTest(dataDir, server);
    return registry;
  }

  get url(): string {
    return this.#server.url;
  }

  get port(): number {
    return this.#server.port;
  }

  /** A repository by its name at the origin. */
  repository(name: string): RepositoryClient {
    return this.#client.repository(parseRepositoryName(name));
  }

  /** Upload sessions that are neither completed nor given up. */
  openUploads(): Promise<string[]> {
    return readdir(join(this.#dataDir, 'uploads')).catch(() => []);
  }

  async stop(): Promise<void> {
    this.#client.close();
    await this.#server.close();
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlServer, ControlClient, type LocalRegistryProcess, serveControl, startLocalRegistryProcess } from '@waybill/embedded';
import { parseRepositoryName } from '@waybill/oci-model';
import { RegistryClient, type RepositoryClient } from '@waybill/oci-registry';

/** Prod on Distribution with a supervisor beside it, as `waybill up` runs it. */
export class CollectedRegistry {
  private constructor(
    readonly folder: string,
    readonly process: LocalRegistryProcess,
    readonly control: ControlServer,
    readonly client: RegistryClient,
  ) {}

  /** `folder`: of an earlier one, whose place it takes. */
  static async start({
    folder: earlier,
    ...options
  }: { readonly folder?: string; readonly searchPath?: string } = {}): Promise<CollectedRegistry> {
    const folder = earlier ?? (await mkdtemp(join(tmpdir(), 'waybill-collected-')));
    const process = await startLocalRegistryProcess({ name: 'prod', dataDir: join(folder, 'prod'), engine: 'docker-registry', ...options });
    const control = await serveControl({ folder, registries: () => [process] });
    return new CollectedRegistry(folder, process, control, new RegistryClient({ origin: process.url }));
  }

  get url(): string {
    return this.process.url;
  }

  get supervisor(): ControlClient {
    return new ControlClient(this.control.path);
  }

  repository(name: string): RepositoryClient {
    return this.client.repository(parseRepositoryName(name));
  }

  /** Does it take a write? */
  async takesWrites(): Promise<boolean> {
    const { status } = await fetch(`${this.url}/v2/team-a/probe/blobs/uploads/`, { method: 'POST' });
    return status === 202;
  }

  /** Ends it as its supervisor does, and keeps what it holds. */
  async end(): Promise<void> {
    this.client.close();
    await this.control.close();
    await this.process.stop();
  }

  async stop(): Promise<void> {
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}

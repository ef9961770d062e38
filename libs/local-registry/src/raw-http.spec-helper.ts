import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, mediaType } from '@waybill/oci-model';
import type { FaultRule } from './faults/fault.js';
import { type LocalRegistry, type ServeOptions, serveStorage } from './local-registry.js';
import { openFiles } from './storage/files/open-files.js';
import { openMemory } from './storage/memory/open-memory.js';
import type { Storage } from './storage/storage.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

export const storageKinds = ['files', 'memory'] as const;
export type StorageKind = (typeof storageKinds)[number];

export const memoryBytes = 64 * 1024 * 1024;

/** A registry of its own, on a folder or in memory, spoken to without any client's help. */
export class RawRegistry {
  faultRule: FaultRule | undefined;
  #running: { readonly registry: LocalRegistry; readonly storage: Storage } | undefined;

  private constructor(
    readonly kind: StorageKind,
    /** Nothing is in it when the registry is in memory. */
    readonly dataDir: string,
    private readonly options: ServeOptions,
  ) {}

  static async start(kind: StorageKind = 'files', options: ServeOptions = {}): Promise<RawRegistry> {
    const dataDir = await mkdtemp(join(tmpdir(), 'waybill-local-registry-'));
    const started: RawRegistry = new RawRegistry(kind, dataDir, { ...options, onRequest: (facts) => started.faultRule?.(facts) });
    await started.#open();
    return started;
  }

  async #open(): Promise<void> {
    const storage = this.kind === 'files' ? await openFiles(this.dataDir) : openMemory(memoryBytes);
    this.#running = { storage, registry: await serveStorage(storage, this.options) };
  }

  get running(): LocalRegistry {
    if (this.#running === undefined) throw new Error('the registry is not running');
    return this.#running.registry;
  }

  /** The ids of the uploads that have brought bytes. */
  async staged(): Promise<readonly string[]> {
    return (await this.#running?.storage.staging.ids()) ?? [];
  }

  get url(): string {
    return this.running.url;
  }

  get port(): number {
    return this.running.port;
  }

  async restart(): Promise<void> {
    await this.running.close();
    await this.#open();
  }

  async stop(): Promise<void> {
    await this.running.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async ask(method: string, path: string, init: { headers?: Record<string, string>; body?: string | Uint8Array } = {}): Promise<Answer> {
    const answer = await fetch(new URL(path, this.url), { method, redirect: 'manual', ...init });
    return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
  }

  /** Opens an upload session and gives its path. */
  async openUpload(repository: string): Promise<string> {
    const { status, headers } = await this.ask('POST', `/v2/${repository}/blobs/uploads/`);
    if (status !== 202) throw new Error(`no upload session: ${status}`);
    return headers.get('location') ?? '';
  }

  async pushBlob(repository: string, content: string | Uint8Array): Promise<string> {
    const digest = digestOf(Buffer.from(content));
    const { status } = await this.ask('PUT', `${await this.openUpload(repository)}?digest=${digest}`, { body: content });
    if (status !== 201) throw new Error(`blob not taken: ${status}`);
    return digest;
  }

  /** Pushes a config, a layer and their manifest; gives the manifest's text and digest. */
  async pushImage(repository: string, tag: string, layer = 'layer'): Promise<{ readonly text: string; readonly digest: string }> {
    const config = await this.pushBlob(repository, '{}');
    const text = manifestText(config, await this.pushBlob(repository, layer));
    const { status } = await this.putManifest(repository, tag, text);
    if (status !== 201) throw new Error(`manifest not taken: ${status}`);
    return { text, digest: digestOf(Buffer.from(text)) };
  }

  putManifest(repository: string, reference: string, text: string, type: string = mediaType.ociManifest): Promise<Answer> {
    return this.ask('PUT', `/v2/${repository}/manifests/${reference}`, { headers: { 'content-type': type }, body: text });
  }
}

export function manifestText(config: string, ...layers: readonly string[]): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    config: { mediaType: mediaType.ociConfig, digest: config, size: 2 },
    layers: layers.map((digest) => ({ mediaType: mediaType.ociLayerGzip, digest, size: 5 })),
  });
}

export function errorsOf(answer: Answer): readonly { readonly code: string; readonly message: string; readonly detail?: unknown }[] {
  return (JSON.parse(answer.bytes.toString('utf8')) as { errors: [] }).errors;
}

export function codesOf(answer: Answer): readonly string[] {
  return errorsOf(answer).map(({ code }) => code);
}

import { digestOf, mediaType } from '@waybill/oci-model';
import { randomBytes } from '@waybill/testing';

/** What a registry has said of one image, as far as we heard it. */
export interface Image {
  readonly repository: string;
  readonly tag: string;
  readonly text: string;
  readonly digest: string;
  readonly blobs: readonly string[];
  readonly subject: string | undefined;
  /** `unknown`: a request was sent and its answer never came. */
  manifest: 'there' | 'gone' | 'unknown';
  tagged: 'there' | 'gone' | 'unknown';
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: Uint8Array | string;
}

/** The connection broke before the answer had come. */
class NoAnswer extends Error {}

function noAnswer(cause: unknown): never {
  throw new NoAnswer('the registry is gone', { cause });
}

/** Pushes, refers, untags and deletes, one after the other, until the registry is gone. */
export class Workload {
  readonly images: Image[] = [];
  readonly #name: string;
  readonly #acknowledged: () => void;
  #made = 0;

  /** `acknowledged` is called at every answer. */
  constructor(name: string, acknowledged: () => void) {
    this.#name = name;
    this.#acknowledged = acknowledged;
  }

  /** Resolves when a request is not answered any more. */
  async run(url: string): Promise<void> {
    try {
      for (;;) {
        const first = await this.#push(url);
        const second = await this.#push(url, first.digest);
        await this.#untag(url, await this.#push(url));
        await this.#delete(url, this.#made % 2 === 0 ? first : second);
      }
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
  }

  async #push(url: string, subject?: string): Promise<Image> {
    this.#made += 1;
    const repository = this.#made % 2 === 0 ? 'shared' : `own/${this.#name}`;
    const blobs = [];
    for (const content of [Buffer.from('{}'), randomBytes(20_000, `${this.#name} ${this.#made}`)]) {
      const digest = digestOf(content);
      await this.#ask(url, { method: 'POST', path: `${repository}/blobs/uploads/?digest=${digest}`, body: content }, 201);
      blobs.push({ digest, size: content.byteLength });
    }
    const [config, layer] = blobs;
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaType.ociManifest,
      config: { mediaType: mediaType.ociConfig, ...config },
      layers: [{ mediaType: mediaType.ociLayerGzip, ...layer }],
      annotations: { 'org.example.by': this.#name },
      ...(subject === undefined ? {} : { subject: { mediaType: mediaType.ociManifest, digest: subject, size: 1 } }),
    });
    const image: Image = {
      repository,
      tag: `t${this.#name}-${this.#made}`,
      text,
      digest: digestOf(Buffer.from(text)),
      blobs: blobs.map(({ digest }) => digest),
      subject,
      manifest: 'unknown',
      tagged: 'unknown',
    };
    this.images.push(image);
    await this.#ask(url, { method: 'PUT', path: `${repository}/manifests/${image.tag}`, body: text }, 201);
    image.manifest = 'there';
    image.tagged = 'there';
    return image;
  }

  async #untag(url: string, image: Image): Promise<void> {
    image.tagged = 'unknown';
    await this.#ask(url, { method: 'DELETE', path: `${image.repository}/manifests/${image.tag}` }, 202);
    image.tagged = 'gone';
  }

  async #delete(url: string, image: Image): Promise<void> {
    image.manifest = 'unknown';
    image.tagged = 'unknown';
    await this.#ask(url, { method: 'DELETE', path: `${image.repository}/manifests/${image.digest}` }, 202);
    image.manifest = 'gone';
    image.tagged = 'gone';
  }

  async #ask(url: string, { method, path, body }: Asked, expected: number): Promise<void> {
    const headers = { 'content-type': mediaType.ociManifest };
    const answer = await fetch(`${url}/v2/${path}`, { method, headers, ...(body === undefined ? {} : { body }) }).catch(noAnswer);
    const said = await answer.text().catch(noAnswer);
    if (answer.status !== expected) throw new Error(`${method} ${path} was answered with ${answer.status}: ${said}`);
    this.#acknowledged();
  }
}

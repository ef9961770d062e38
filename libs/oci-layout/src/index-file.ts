import { join } from 'node:path';
import { Descriptor, mediaType } from '@waybill/oci-model';
import { z } from 'zod';
import { readJsonFile } from './json-file.js';
import { toContentError } from './storage-error.js';
import { writeWhole } from './whole-file.js';

/** image-spec v1.1.1, annotations.md: what a layout's tags are. */
const refNameAnnotation = 'org.opencontainers.image.ref.name';

/** One manifest that `index.json` names. What we do not know of it is kept. */
const IndexEntry = z.looseObject(Descriptor.shape);
export type IndexEntry = z.infer<typeof IndexEntry>;

const IndexFile = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(IndexEntry) });
type IndexFile = z.infer<typeof IndexFile>;

/** `index.json` of a layout (image-spec v1.1.1, image-layout.md "index.json file"). */
export class LayoutIndex {
  readonly #layout: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(layout: string) {
    this.#layout = layout;
  }

  /** Rejects with `not-found` and `manifest-invalid`. */
  async entries(): Promise<readonly IndexEntry[]> {
    return (await this.#read()).manifests;
  }

  /** Replaces the entries by what `change` makes of them. Changes made through one object follow one another. */
  update(change: (entries: readonly IndexEntry[]) => readonly IndexEntry[]): Promise<void> {
    const next = this.#last.then(async () => {
      const index = await this.#read();
      await this.#write({ ...index, manifests: [...change(index.manifests)] });
    });
    this.#last = next.catch(() => undefined); // whoever asked for the change gets its error
    return next;
  }

  async writeEmpty(): Promise<void> {
    await this.#write({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [] });
  }

  get #path(): string {
    return join(this.#layout, 'index.json');
  }

  #read(): Promise<IndexFile> {
    return readJsonFile(this.#path, IndexFile);
  }

  async #write(index: IndexFile): Promise<void> {
    try {
      await writeWhole(this.#layout, [Buffer.from(JSON.stringify(index))], () => this.#path);
    } catch (error) {
      throw toContentError(error, 'write index.json');
    }
  }
}

/** The name that an entry has in the layout; it need not be a tag. */
export function nameOf(entry: IndexEntry): string | undefined {
  return entry.annotations?.[refNameAnnotation];
}

/** Names `descriptor` by `tag`, and nothing else by it any more. */
export function withTag(entries: readonly IndexEntry[], tag: string, descriptor: Descriptor): readonly IndexEntry[] {
  const others = entries.filter((entry) => nameOf(entry) !== tag);
  const annotations = { ...descriptor.annotations, [refNameAnnotation]: tag };
  return [...others, { ...descriptor, annotations }];
}

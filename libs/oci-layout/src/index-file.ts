import { join } from 'node:path';
import { ContentError, Descriptor, type Digest, mediaType, type Tag } from '@waybill/oci-model';
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

/** What an edit makes of the entries, and what it does after they are written. */
export interface IndexEdit {
  readonly entries: readonly IndexEntry[];
  readonly afterwards?: () => Promise<void>;
}

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
    return this.edit((entries) => Promise.resolve({ entries: change(entries) }));
  }

  /** The same for a change that reads or writes content, and tidies up once the new entries are on the disk. */
  edit(change: (entries: readonly IndexEntry[]) => Promise<IndexEdit | undefined>): Promise<void> {
    const next = this.#last.then(async () => {
      const index = await this.#read();
      const edit = await change(index.manifests);
      if (edit === undefined) return;
      await this.#write({ ...index, manifests: [...edit.entries] });
      await edit.afterwards?.();
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

/** Takes the name away; a manifest that nothing else names stays as an entry without one. */
export function withoutTag(entries: readonly IndexEntry[], tag: string): readonly IndexEntry[] {
  const others = entries.filter((entry) => nameOf(entry) !== tag);
  const nameless = new Map<string, IndexEntry>();
  for (const entry of entries.filter((each) => nameOf(each) === tag)) {
    if (!others.some(({ digest }) => digest === entry.digest)) nameless.set(entry.digest, withoutName(entry));
  }
  return [...others, ...nameless.values()];
}

function withoutName({ annotations = {}, ...entry }: IndexEntry): IndexEntry {
  const { [refNameAnnotation]: _name, ...rest } = annotations;
  return Object.keys(rest).length === 0 ? entry : { ...entry, annotations: rest };
}

/** @throws ContentError `manifest-invalid` when the name is given to several manifests, as the specification lets layouts do */
export function digestNamed(entries: readonly IndexEntry[], tag: Tag): Digest | undefined {
  const digests = new Set(entries.filter((entry) => nameOf(entry) === tag).map((entry) => entry.digest));
  const [digest, ...others] = digests;
  if (others.length === 0) return digest;
  throw new ContentError(`the layout names ${digests.size} manifests "${tag}": choose one by its digest`, {
    code: 'manifest-invalid',
    operation: 'resolve tag',
    details: { digests: [...digests] },
  });
}

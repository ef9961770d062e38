import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import {
  type BlobRef,
  ContentError,
  type ContentRemover,
  type ContentStore,
  type Descriptor,
  type ReferrerLister,
  type Tag,
} from '@waybill/oci-model';
import { z } from 'zod';
import { BlobFolder } from './blob-folder.js';
import { LayoutIndex, nameOf } from './index-file.js';
import { readJsonFile } from './json-file.js';
import { LayoutStore } from './layout-store.js';
import { removeTag } from './remove-tag.js';
import { isMissing, toContentError } from './storage-error.js';
import { scratchFolder, writeWhole } from './whole-file.js';

const markerName = 'oci-layout';
const Marker = z.object({ imageLayoutVersion: z.literal('1.0.0') });

/** Half-written files of this age belong to nobody any more. */
const staleAfterMs = 24 * 60 * 60 * 1000;

/** One manifest that the layout's `index.json` names, and the name it has there, which need not be a tag. */
export interface LayoutManifest {
  readonly descriptor: Descriptor;
  readonly name?: string;
}

/**
 * An OCI image layout on disk (image-spec v1.1.1, image-layout.md). One process at a time should write
 * to it: blobs may be written by several, `index.json` may not.
 */
export class OciLayout {
  readonly #blobs: BlobFolder;
  readonly #index: LayoutIndex;
  readonly #store: LayoutStore;

  private constructor(readonly dir: string) {
    this.#blobs = new BlobFolder(dir);
    this.#index = new LayoutIndex(dir);
    this.#store = new LayoutStore(this.#blobs, this.#index);
  }

  /**
   * Opens an existing layout.
   * @throws ContentError `not-found` when the folder is no layout, `manifest-invalid` when its files are broken
   */
  static async open(dir: string): Promise<OciLayout> {
    const layout = new OciLayout(resolve(dir));
    await readMarker(layout.dir);
    await layout.#index.entries();
    return layout;
  }

  /**
   * Opens the layout in `dir`, or makes an empty one there.
   * @throws ContentError `unsupported` when the folder holds something else
   */
  static async create(dir: string): Promise<OciLayout> {
    const layout = new OciLayout(resolve(dir));
    await makeFolder(layout.dir);
    await removeStale(layout.dir);
    const present = await readdir(layout.dir);
    if (present.includes(markerName)) return await OciLayout.open(dir);
    if (present.some((name) => !ours.includes(name))) {
      throw new ContentError(`${layout.dir} is not empty and no image layout: name an empty folder`, {
        code: 'unsupported',
        operation: 'create layout',
      });
    }
    await layout.#index.writeEmpty();
    // The marker comes last: what has it is a whole layout.
    await writeWhole(layout.dir, [Buffer.from(JSON.stringify({ imageLayoutVersion: '1.0.0' }))], () => join(layout.dir, markerName));
    return layout;
  }

  /** The layout behind the content ports, as if it were one repository. */
  store(): ContentStore & ReferrerLister & ContentRemover {
    return this.#store;
  }

  /** What `index.json` names, tagged or not. Rejects with ContentError. */
  async manifests(): Promise<readonly LayoutManifest[]> {
    const entries = await this.#index.entries();
    return entries.map((entry) => {
      const name = nameOf(entry);
      return { descriptor: entry, ...(name === undefined ? {} : { name }) };
    });
  }

  /** Adds content whose digest is not known before, and tells it. Rejects with ContentError. */
  addBlob(content: Readable, signal?: AbortSignal): Promise<BlobRef> {
    return this.#blobs.add(content, signal);
  }

  /** Takes a tag away, and with it all content that nothing else in `index.json` needs. Rejects with ContentError. */
  removeTag(tag: Tag): Promise<void> {
    return removeTag(this.#index, this.#blobs, tag);
  }
}

/** What an interrupted `create` leaves behind. */
const ours: readonly string[] = [scratchFolder, 'index.json', 'blobs'];

async function readMarker(dir: string): Promise<void> {
  try {
    await readJsonFile(join(dir, markerName), Marker);
  } catch (cause) {
    if (!(cause instanceof ContentError) || cause.code !== 'not-found') throw cause;
    throw new ContentError(`${dir} is no OCI image layout: it has no ${markerName} file`, {
      code: 'not-found',
      operation: 'open layout',
      cause,
    });
  }
}

async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
  } catch (error) {
    throw toContentError(error, 'create layout');
  }
}

async function removeStale(dir: string): Promise<void> {
  const scratch = join(dir, scratchFolder);
  const oldest = Date.now() - staleAfterMs;
  for (const name of await readdir(scratch).catch(() => [])) {
    const path = join(scratch, name);
    const { mtimeMs } = await stat(path).catch((error: unknown) => {
      if (isMissing(error)) return { mtimeMs: Infinity }; // its writer has just finished
      throw toContentError(error, 'create layout');
    });
    if (mtimeMs < oldest) await rm(path, { force: true });
  }
}

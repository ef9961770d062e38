import { Readable } from 'node:stream';
import {
  type Descriptor,
  descriptorOf,
  type Digest,
  isManifestMediaType,
  type Manifest,
  manifestFromBytes,
  referrerDescriptorOf,
  referrersIn,
  referrersTagOf,
  subjectOf,
  withoutReferrers,
  withReferrer,
} from '@waybill/oci-model';
import type { BlobFolder } from './blob-folder.js';
import { digestNamed, type IndexEntry, type LayoutIndex, withTag } from './index-file.js';
import { refuseAborted } from './storage-error.js';

/** A digest says for ever what it refers to, so what was read once is remembered; a bound on the memory that it takes. */
const maxRemembered = 100_000;

/**
 * Who refers to what in a layout. The image specification leaves that open, and tools differ: regctl lists referrers
 * under the referrers tag, oras as entries of `index.json`. Both are read. The tag is what is written, since oras
 * finds what stands beneath it too, and `index.json` stays a list of what has a name.
 */
export class LayoutReferrers {
  readonly #blobs: BlobFolder;
  readonly #index: LayoutIndex;
  readonly #subjects = new Map<Digest, Digest | undefined>();

  constructor(blobs: BlobFolder, index: LayoutIndex) {
    this.#blobs = blobs;
    this.#index = index;
  }

  /** Each once. Rejects with `manifest-invalid` when something else stands under the referrers tag. */
  async *list(subject: Digest, signal?: AbortSignal): AsyncGenerator<Descriptor> {
    refuseAborted('list referrers', signal);
    const { entries, tagged } = await this.#snapshot(subject);
    const listed = new Set<Digest>();
    for (const referrer of tagged === undefined ? [] : referrersIn(tagged)) {
      if (!listed.has(referrer.digest)) yield referrer;
      listed.add(referrer.digest);
    }
    for (const entry of entries) {
      refuseAborted('list referrers', signal);
      if (listed.has(entry.digest) || (await this.#subjectOf(entry)) !== subject) continue;
      listed.add(entry.digest);
      yield referrerDescriptorOf(await this.#read(entry));
    }
  }

  /** Lists a manifest under its subject, if it has one. */
  async add(manifest: Manifest): Promise<void> {
    const subject = subjectOf(manifest);
    if (subject !== undefined) await this.#change(subject, (index) => withReferrer(index, referrerDescriptorOf(manifest)));
  }

  /** Takes a manifest off the list of its subject. */
  async drop(subject: Digest, digest: Digest): Promise<void> {
    await this.#change(subject, (index) => (index === undefined ? undefined : withoutReferrers(index, new Set([digest]))));
  }

  /** The new index of referrers is on the disk before `index.json` names it, and the old one goes after. */
  async #change(subject: Digest, change: (index: Manifest | undefined) => Manifest | undefined): Promise<void> {
    await this.#index.edit(async (entries) => {
      const before = await this.#readTagged(entries, subject);
      const after = change(before);
      if (after === undefined) return undefined;
      await this.#blobs.write(descriptorOf(after), Readable.from([after.bytes]));
      const changed = withTag(entries, referrersTagOf(subject), descriptorOf(after));
      const isNeeded = before === undefined || changed.some((entry) => entry.digest === before.digest);
      return { entries: changed, ...(isNeeded ? {} : { afterwards: () => this.#blobs.remove(before.digest) }) };
    });
  }

  /** Read in turn with changes: each takes the list away that it replaces. */
  async #snapshot(subject: Digest): Promise<{ readonly entries: readonly IndexEntry[]; readonly tagged: Manifest | undefined }> {
    const seen: { entries: readonly IndexEntry[]; tagged: Manifest | undefined } = { entries: [], tagged: undefined };
    await this.#index.edit(async (entries) => {
      seen.entries = entries;
      seen.tagged = await this.#readTagged(entries, subject);
      return undefined;
    });
    return seen;
  }

  async #readTagged(entries: readonly IndexEntry[], subject: Digest): Promise<Manifest | undefined> {
    const digest = digestNamed(entries, referrersTagOf(subject));
    const entry = entries.find((each) => each.digest === digest);
    return entry === undefined ? undefined : await this.#read(entry);
  }

  async #subjectOf(entry: IndexEntry): Promise<Digest | undefined> {
    if (!isManifestMediaType(entry.mediaType)) return undefined;
    if (this.#subjects.has(entry.digest)) return this.#subjects.get(entry.digest);
    // What is named and not there refers to nothing.
    if ((await this.#blobs.sizeOf(entry.digest)) === undefined) return undefined;
    const subject = subjectOf(await this.#read(entry));
    if (this.#subjects.size === maxRemembered) this.#subjects.clear();
    this.#subjects.set(entry.digest, subject);
    return subject;
  }

  async #read({ digest, mediaType }: Descriptor): Promise<Manifest> {
    return manifestFromBytes(await this.#blobs.readManifestBytes(digest), mediaType, digest);
  }
}

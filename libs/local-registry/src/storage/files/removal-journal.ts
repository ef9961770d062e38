import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Digest, isDigest, isRepositoryName, type RepositoryName } from '@waybill/oci-model';
import { z } from 'zod';
import { namesIn, readIfPresent, removeDurably, writeDurably } from './durable-file.js';

const Removal = z.object({
  repository: z.string().refine(isRepositoryName),
  digest: z.string().refine(isDigest),
  subject: z.string().refine(isDigest).optional(),
});

export interface Removal {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly subject?: Digest | undefined;
}

/**
 * Removals that take several steps. Each is written down before its first step and crossed out after
 * its last: what a killed process left undone is done again when the registry is next opened.
 */
export class RemovalJournal {
  readonly #folder: string;
  readonly #scratch: string;

  constructor(folder: string, scratch: string) {
    this.#folder = folder;
    this.#scratch = scratch;
  }

  /** `remove` must be of a kind that may be done twice. */
  async run(removal: Removal, remove: (removal: Removal) => Promise<void>): Promise<void> {
    const entry = join(this.#folder, `${randomUUID()}.json`);
    await writeDurably(entry, JSON.stringify(removal), this.#scratch);
    try {
      await remove(removal);
    } finally {
      // A removal that failed is for the client to ask for again: done at the next opening, it would take what was pushed since.
      await removeDurably(entry);
    }
  }

  async finishAll(remove: (removal: Removal) => Promise<void>): Promise<void> {
    for (const name of await namesIn(this.#folder)) {
      const entry = join(this.#folder, name);
      const text = await readIfPresent(entry);
      if (text !== undefined) await remove(Removal.parse(JSON.parse(text)));
      await removeDurably(entry);
    }
  }
}

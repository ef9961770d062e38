import { createReadStream } from 'node:fs';
import { open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { StagedContent, StagingArea } from '../storage.js';
import { namesIn } from './durable-file.js';

/** One file for each upload that has brought bytes. */
export class FileStaging implements StagingArea {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  pathOf(id: string): string {
    return join(this.#folder, id);
  }

  async append(id: string): Promise<StagedContent> {
    const file = await open(this.pathOf(id), 'a', 0o600);
    return {
      write: (chunk) => file.appendFile(chunk),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  }

  read(id: string): AsyncIterable<Uint8Array> {
    return createReadStream(this.pathOf(id)) as AsyncIterable<Buffer>;
  }

  truncate(id: string, size: number): Promise<void> {
    return truncate(this.pathOf(id), size);
  }

  remove(id: string): Promise<void> {
    return rm(this.pathOf(id), { force: true });
  }

  ids(): Promise<readonly string[]> {
    return namesIn(this.#folder);
  }
}

import { type FileHandle, open, rename } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { fromSystemError } from '../embedded-error.js';

const tailBytes = 4 * 1024;

/**
 * A log file that never takes more than twice `maxBytes` of the disk: a full one is kept as
 * `<path>.1`, and the one before that is gone. The writer is held back by the disk, so nothing piles up
 * in memory. A full disk loses lines, never the program that writes them.
 */
export class RotatingLog extends Writable {
  readonly #path: string;
  readonly #maxBytes: number;
  #file: FileHandle;
  #size: number;
  #tail = Buffer.alloc(0);

  private constructor(path: string, opened: { file: FileHandle; size: number; maxBytes: number }) {
    super();
    this.#path = path;
    this.#file = opened.file;
    this.#size = opened.size;
    this.#maxBytes = opened.maxBytes;
  }

  /** Opens the file for appending. `maxBytes` is the size at which it is put aside. */
  static async open(path: string, maxBytes = 4 * 1024 * 1024): Promise<RotatingLog> {
    try {
      const file = await open(path, 'a', 0o600);
      return new RotatingLog(path, { file, size: (await file.stat()).size, maxBytes });
    } catch (cause) {
      throw fromSystemError(cause, { operation: 'open the log', path });
    }
  }

  /** The last lines that went through this writer, whether the disk took them or not. */
  tail(): string {
    return this.#tail.toString('utf8');
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#tail = Buffer.concat([this.#tail, chunk]).subarray(-tailBytes);
    this.#append(chunk).then(
      () => done(),
      () => done(),
    );
  }

  override _final(done: (error?: Error) => void): void {
    this.#file.close().then(() => done(), done);
  }

  async #append(chunk: Buffer): Promise<void> {
    if (this.#size > 0 && this.#size + chunk.length > this.#maxBytes) await this.#rotate();
    await this.#file.appendFile(chunk);
    this.#size += chunk.length;
  }

  async #rotate(): Promise<void> {
    await rename(this.#path, `${this.#path}.1`);
    const next = await open(this.#path, 'a', 0o600);
    await this.#file.close();
    this.#file = next;
    this.#size = 0;
  }
}

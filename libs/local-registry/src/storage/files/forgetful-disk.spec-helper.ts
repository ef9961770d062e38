import { type BigIntStats } from 'node:fs';
import * as real from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

type Files = typeof real;

/** A sync that does not come to its end before it is let go. */
export interface HeldSync {
  /** Resolves when somebody has begun it. */
  readonly begun: Promise<void>;
  letGo(): void;
}

/**
 * A real folder, and what a power failure would leave of it: the bytes of a file as they were when the file was last
 * synced, and the names in a folder as they were when the folder was. POSIX promises no more (fsync, "rationale").
 */
export class ForgetfulDisk {
  /** `node:fs/promises`, for `jest.unstable_mockModule`. */
  readonly files: Files;
  /** Called after each change and each sync. */
  onStep: () => Promise<void> = async () => undefined;

  readonly #bytes = new Map<string, Buffer>();
  readonly #names = new Map<string, ReadonlyMap<string, string>>();
  readonly #held = new Map<string, { readonly begin: () => void; readonly wait: Promise<void> }>();

  private constructor(readonly root: string) {
    this.files = {
      ...real,
      mkdir: this.#stepping(real.mkdir) as Files['mkdir'],
      rename: this.#stepping(real.rename),
      rm: this.#stepping(real.rm),
      open: this.#open,
    };
  }

  /** `root` is an empty folder, and there for good. */
  static async on(root: string): Promise<ForgetfulDisk> {
    const disk = new ForgetfulDisk(root);
    await disk.#sync(root);
    return disk;
  }

  /** The file's bytes, were the power to fail now; undefined when its name or a folder above it would be lost. */
  async leftOf(path: string): Promise<Buffer | undefined> {
    let at = await identityOf(this.root);
    for (const name of relative(this.root, path).split(sep)) {
      const next = this.#names.get(at)?.get(name);
      if (next === undefined) return undefined;
      at = next;
    }
    return this.#bytes.get(at) ?? Buffer.alloc(0);
  }

  /** Its bytes when the name that the file has now outlives the failure, as it may without a sync; undefined without a name. */
  async atLeastOf(path: string): Promise<Buffer | undefined> {
    const identity = await identityOf(path).catch(() => undefined);
    return identity === undefined ? undefined : (this.#bytes.get(identity) ?? Buffer.alloc(0));
  }

  /** The next sync of `path` waits. */
  holdSync(path: string): HeldSync {
    const [begun, begin] = latch();
    const [wait, letGo] = latch();
    this.#held.set(path, { begin, wait });
    return { begun, letGo };
  }

  readonly #open = async (...args: Parameters<Files['open']>) => {
    const file = await real.open(...args);
    const path = String(args[0]);
    const sync = file.sync.bind(file);
    file.sync = async () => {
      await this.#whenLetGo(path);
      await sync();
      await this.#sync(path);
      await this.onStep();
    };
    await this.onStep();
    return file;
  };

  #stepping<Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>): (...args: Args) => Promise<Result> {
    return async (...args) => {
      const result = await call(...args);
      await this.onStep();
      return result;
    };
  }

  async #whenLetGo(path: string): Promise<void> {
    const held = this.#held.get(path);
    this.#held.delete(path);
    held?.begin();
    await held?.wait;
  }

  async #sync(path: string): Promise<void> {
    const stats = await real.stat(path, { bigint: true });
    if (!stats.isDirectory()) {
      this.#bytes.set(identityIn(stats), await real.readFile(path));
      return;
    }
    const names = new Map<string, string>();
    for (const name of await real.readdir(path)) names.set(name, await identityOf(join(path, name)));
    this.#names.set(identityIn(stats), names);
  }
}

async function identityOf(path: string): Promise<string> {
  return identityIn(await real.stat(path, { bigint: true }));
}

/** A number is given again to another file when its own is gone. */
function identityIn({ ino, birthtimeNs }: BigIntStats): string {
  return `${ino} ${birthtimeNs}`;
}

function latch(): [Promise<void>, () => void] {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return [opened, open];
}

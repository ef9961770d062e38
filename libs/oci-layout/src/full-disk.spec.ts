import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { typescriptLoader } from '@waybill/testing';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-full-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A process that may not write large files meets the system's refusal in the middle of a blob, as on a full disk. */
function runLimited(code: string): string {
  const node = [process.execPath, '--import', typescriptLoader, '--input-type=module', '--eval', code];
  // In blocks of 512 bytes (POSIX, "ulimit").
  const { stdout, stderr } = spawnSync('sh', ['-c', 'NODE_OPTIONS= ; ulimit -f 64; exec "$@"', 'sh', ...node], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  return stdout + stderr;
}

describe('a layout on a disk that takes no more', () => {
  it('says what the system said, and leaves nothing half-written', async () => {
    const told = runLimited(`
      import { Readable } from 'node:stream';
      import { OciLayout } from '@waybill/oci-layout';
      // Unheard, the signal would end the process before the write fails.
      process.on('SIGXFSZ', () => undefined);
      const layout = await OciLayout.create(${JSON.stringify(join(dir, 'layout'))});
      const content = Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(4096)));
      await layout.addBlob(content).catch(({ code, message }) => console.log(code, message));
    `);

    expect(told).toMatch(/^unavailable cannot push blob: EFBIG/);
    expect(await readdir(join(dir, 'layout', '.scratch'))).toEqual([]);
  });
});

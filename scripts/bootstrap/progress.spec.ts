import { describe, expect, it } from '@jest/globals';
import { createProgress } from './progress.mjs';

function recorder(isTTY: boolean) {
  const written: string[] = [];
  return { written, stream: { isTTY, write: (text: string) => written.push(text) } };
}

describe('createProgress', () => {
  it('writes plain lines where there is no terminal', async () => {
    const { written, stream } = recorder(false);

    const result = await createProgress(stream).step('building', () => Promise.resolve(7));

    expect(result).toBe(7);
    expect(written.join('')).toMatch(/^… building\n✔ building \(\d+\.\d s\)\n$/);
  });

  it('redraws one line on a terminal', async () => {
    const { written, stream } = recorder(true);

    await createProgress(stream).step('building', () => Promise.resolve());

    expect(written.at(-1)?.replace('\r\u001B[2K', '')).toMatch(/^✔ building \(\d+\.\d s\)\n$/);
    expect(written.slice(0, -1).join('')).not.toContain('\n');
  });

  it('marks the step that failed and hands the error on', async () => {
    const { written, stream } = recorder(false);
    const failing = createProgress(stream).step('building', () => Promise.reject(new Error('no')));

    await expect(failing).rejects.toThrow('no');
    expect(written.at(-1)).toMatch(/^✘ building/);
  });
});

import { appendFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from '@waybill/testing';
import { extract, type Header } from 'tar-stream';
import { OciLayout } from '../layout.js';
import type { LayerEntry } from './layer-entry.js';
import { type BlobSink, type LayerResult, writeLayer } from './write-layer.js';

const big = randomBytes(3 * 1024 * 1024, 'a file larger than what is read at once');
let dir: string;
let layout: OciLayout;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-layer-'));
  layout = await OciLayout.create(join(dir, 'layout'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function read(layer: LayerResult): Promise<{ readonly header: Header; readonly content: Buffer }[]> {
  const entries: { header: Header; content: Buffer }[] = [];
  const files = (await layout.store().readBlob(layer.descriptor)).pipe(createGunzip()).pipe(extract());
  for await (const file of files) {
    const chunks: Buffer[] = [];
    for await (const chunk of file) chunks.push(chunk as Buffer);
    entries.push({ header: file.header, content: Buffer.concat(chunks) });
  }
  return entries;
}

interface Machine {
  readonly name: string;
  readonly order: 'forth' | 'back';
  readonly mtime: number;
  readonly modes: { readonly tool: number; readonly note: number };
}

const one: Machine = { name: 'one', order: 'forth', mtime: 1_000_000, modes: { tool: 0o700, note: 0o600 } };
const other: Machine = { name: 'other', order: 'back', mtime: 2_000_000, modes: { tool: 0o775, note: 0o664 } };

/** The same tree as each machine has it on its disk. */
async function tree({ name, order, mtime, modes }: Machine): Promise<LayerEntry[]> {
  const root = join(dir, name);
  await mkdir(root);
  for (const [file, content, mode] of [
    ['tool', 'run', modes.tool],
    ['note', 'text', modes.note],
    ['big', big, modes.note],
  ] as const) {
    await writeFile(join(root, file), content);
    await chmod(join(root, file), mode);
    await utimes(join(root, file), mtime, mtime);
  }
  const entries: LayerEntry[] = [
    { kind: 'file', path: 'usr/bin/tool', source: join(root, 'tool') },
    { kind: 'file', path: 'usr/share/note', source: join(root, 'note') },
    { kind: 'file', path: 'big', source: join(root, 'big') },
    { kind: 'symlink', path: 'bin', target: 'usr/bin' },
    { kind: 'directory', path: 'tmp', mode: 0o1777 },
    { kind: 'text', path: 'etc/passwd', text: 'root:x:0:0::/:\n' },
    { kind: 'file', path: `long/${'n'.repeat(120)}/ünïcode`, source: join(root, 'note') },
  ];
  return order === 'forth' ? entries : entries.toReversed();
}

describe('writeLayer', () => {
  it('gives equal bytes for equal trees, whatever their order, times and exact modes', async () => {
    const first = await writeLayer(await tree(one), layout);
    const second = await writeLayer(await tree(other), layout);

    expect(second).toEqual(first);
  });

  it('gives the bytes that it gave when it was written', async () => {
    const { diffId } = await writeLayer(
      [
        { kind: 'text', path: 'etc/hostname', text: 'waybill\n' },
        { kind: 'symlink', path: 'bin', target: 'usr/bin' },
      ],
      layout,
    );

    // The tar alone: gzip's bytes belong to a version of zlib, and so of Node.
    expect(diffId).toBe('sha256:e608e9a6772478057307be72d44987ed0ced787855d6f418bcc605b00c3bc03f');
  });

  it('gives other bytes when content, name, mode or target differ', async () => {
    const variants: LayerEntry[][] = [
      [{ kind: 'text', path: 'a', text: 'x' }],
      [{ kind: 'text', path: 'a', text: 'y' }],
      [{ kind: 'text', path: 'b', text: 'x' }],
      [{ kind: 'text', path: 'a', text: 'x', executable: true }],
      [{ kind: 'symlink', path: 'a', target: 'x' }],
      [{ kind: 'symlink', path: 'a', target: 'y' }],
      [{ kind: 'directory', path: 'a' }],
      [{ kind: 'directory', path: 'a', mode: 0o700 }],
    ];

    const digests = new Set<string>();
    for (const entries of variants) digests.add((await writeLayer(entries, layout)).descriptor.digest);

    expect(digests.size).toBe(variants.length);
  });

  it('writes every entry as root, with plain modes and the time it was given', async () => {
    const layer = await writeLayer(await tree(one), layout, { mtime: 86_400 });

    const facts = (await read(layer)).map(({ header }) => [header.name.replace(/n{120}/, 'n…'), header.type, header.mode.toString(8)]);

    expect(facts).toEqual([
      ['big', 'file', '644'],
      ['bin', 'symlink', '777'],
      ['etc/', 'directory', '755'],
      ['etc/passwd', 'file', '644'],
      ['long/', 'directory', '755'],
      ['long/n…/', 'directory', '755'],
      ['long/n…/ünïcode', 'file', '644'],
      ['tmp/', 'directory', '1777'],
      ['usr/', 'directory', '755'],
      ['usr/bin/', 'directory', '755'],
      ['usr/bin/tool', 'file', '755'],
      ['usr/share/', 'directory', '755'],
      ['usr/share/note', 'file', '644'],
    ]);
    expect((await read(layer)).every(({ header }) => header.uid === 0 && header.gid === 0 && header.mtime.getTime() === 86_400_000)).toBe(
      true,
    );
  });

  it('keeps the content, and tells the size and digest of the tar', async () => {
    const layer = await writeLayer(await tree(one), layout);
    const tar = (await layout.store().readBlob(layer.descriptor)).pipe(createGunzip());
    const measured = await layout.addBlob(tar);

    const entries = new Map((await read(layer)).map(({ header, content }) => [header.name, content]));

    expect(entries.get('big')?.equals(big)).toBe(true);
    expect(entries.get('usr/bin/tool')?.toString('utf8')).toBe('run');
    expect({ digest: layer.diffId, size: layer.size }).toEqual(measured);
  });

  it('writes a gzip header without time, name or system', async () => {
    const { descriptor } = await writeLayer([], layout);
    const [header] = (await (await layout.store().readBlob(descriptor)).take(1).toArray()) as Buffer[];

    expect([...(header?.subarray(0, 10) ?? [])]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  });

  it('takes a directory that is named twice once, and entries as they come', async () => {
    async function* entries(): AsyncGenerator<LayerEntry> {
      yield { kind: 'directory', path: 'a' };
      yield { kind: 'directory', path: 'a' };
    }

    expect(await read(await writeLayer(entries(), layout))).toHaveLength(1);
  });

  it('tells how many bytes went by', async () => {
    const seen: number[] = [];

    const { size } = await writeLayer(await tree(one), layout, { onBytes: (bytes) => seen.push(bytes) });

    expect(seen.at(-1)).toBe(size);
    expect(seen.length).toBeGreaterThan(2);
  });
});

describe('what writeLayer refuses', () => {
  const text = (path: string): LayerEntry => ({ kind: 'text', path, text: '' });

  it.each<[string, LayerEntry[], string]>([
    ['a path that climbs', [text('../etc/passwd')], 'path-invalid'],
    ['a path that climbs inside', [text('a/../../b')], 'path-invalid'],
    ['an absolute path', [text('/etc/passwd')], 'path-invalid'],
    ['an empty path', [text('')], 'path-invalid'],
    ['a path with an empty name', [text('a//b')], 'path-invalid'],
    ['a path with a zero byte', [text('a\0b')], 'path-invalid'],
    ['two entries for one path', [text('a'), text('a')], 'path-taken'],
    [
      'a directory with two modes',
      [
        { kind: 'directory', path: 'a' },
        { kind: 'directory', path: 'a', mode: 0o700 },
      ],
      'path-taken',
    ],
    ['an entry beneath a file', [text('a'), text('a/b')], 'path-taken'],
    ['an entry beneath a symlink', [{ kind: 'symlink', path: 'lib', target: 'usr/lib' }, text('lib/x')], 'path-taken'],
    ['a source that is missing', [{ kind: 'file', path: 'a', source: '/nowhere/at/all' }], 'source-unusable'],
    ['a source that is a folder', [{ kind: 'file', path: 'a', source: tmpdir() }], 'source-unusable'],
  ])('%s', async (_what, entries, code) => {
    await expect(writeLayer(entries, layout)).rejects.toMatchObject({ name: 'LayerError', code });
  });

  it('a source that fails after others were written', async () => {
    const entries = await tree(one);

    const failure = writeLayer([...entries, { kind: 'file', path: 'zzz', source: join(dir, 'absent') }], layout);

    await expect(failure).rejects.toMatchObject({ code: 'source-unusable', message: expect.stringContaining('absent') });
  });

  it('a place that cannot take the bytes, with that place’s error', async () => {
    const full: BlobSink = { addBlob: () => Promise.reject(new Error('disk full')) };

    await expect(writeLayer(await tree(one), full)).rejects.toThrow('disk full');
  });

  it('a place that fails midway, with that place’s error', async () => {
    const full: BlobSink = {
      async addBlob(content) {
        for await (const chunk of content) throw new Error(`disk full at ${(chunk as Buffer).byteLength} bytes`);
        throw new Error('nothing came');
      },
    };

    await expect(writeLayer(await tree(one), full)).rejects.toThrow('disk full');
  });

  it('a large source that grows while it is read', async () => {
    const entries = await tree(one);
    const grow = (): void => {
      appendFileSync(join(dir, 'one/big'), big);
    };

    const failure = writeLayer(entries, layout, { onBytes: onceOnly(grow) });

    await expect(failure).rejects.toMatchObject({ code: 'source-unusable', message: expect.stringContaining('changed') });
  });

  it('to go on when it is cancelled', async () => {
    const controller = new AbortController();
    const options = { signal: controller.signal, onBytes: () => controller.abort() };

    await expect(writeLayer(await tree(one), layout, options)).rejects.toMatchObject({ code: 'aborted' });
  });
});

function onceOnly(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}

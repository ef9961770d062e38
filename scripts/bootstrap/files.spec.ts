import { describe, expect, it } from '@jest/globals';
import { chmodSync, existsSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { removeOutputWithoutSource } from './compile.mjs';
import { linkEmbeddedPostgres } from './embedded-postgres-links.mjs';
import { isOnPath } from './servers.mjs';
import { temporaryFolder } from './temporary-folder.js';

describe('removeOutputWithoutSource', () => {
  it('removes what the compiler wrote for a source that is gone, and nothing else', () => {
    const workspace = temporaryFolder({
      'src/deep/kept.ts': '',
      'dist/deep/kept.js': '',
      'dist/deep/kept.d.ts': '',
      'dist/deep/gone.js': '',
      'dist/deep/gone.js.map': '',
      'dist/deep/gone.d.ts': '',
      'dist/.tsbuildinfo': '',
    });

    removeOutputWithoutSource(workspace);

    const left = ['deep/kept.js', 'deep/kept.d.ts', 'deep/gone.js', 'deep/gone.js.map', 'deep/gone.d.ts', '.tsbuildinfo'].filter((file) =>
      existsSync(path.join(workspace, 'dist', file)),
    );
    expect(left).toEqual(['deep/kept.js', 'deep/kept.d.ts', '.tsbuildinfo']);
  });
});

describe('linkEmbeddedPostgres', () => {
  it('makes the links that the package lists, once', () => {
    const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
    const scope = temporaryFolder({ 'linux-x64/native/lib/libpq.so.5.18': '', 'linux-x64/native/pg-symlinks.json': JSON.stringify(links) });

    linkEmbeddedPostgres(scope);
    linkEmbeddedPostgres(scope);

    expect(readlinkSync(path.join(scope, 'linux-x64/native/lib/libpq.so.5'))).toBe('libpq.so.5.18');
  });

  it('does nothing where the package is not installed', () => {
    expect(() => linkEmbeddedPostgres(path.join(temporaryFolder(), 'absent'))).not.toThrow();
  });
});

describe('isOnPath', () => {
  it('finds programs, not files that cannot be executed', () => {
    const folder = temporaryFolder({ 'bin/skopeo': '', 'bin/notes.txt': '' });
    chmodSync(path.join(folder, 'bin/skopeo'), 0o755);
    const searchPath = `${folder}/sbin:${folder}/bin`;

    expect(['skopeo', 'notes.txt', 'docker-registry'].map((program) => isOnPath(program, searchPath))).toEqual([true, false, false]);
  });
});

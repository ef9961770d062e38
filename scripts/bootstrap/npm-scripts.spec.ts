import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from './temporary-folder.js';

const manifest = path.join(import.meta.dirname, '../../package.json');
const { scripts } = JSON.parse(readFileSync(manifest, 'utf8')) as { scripts: Readonly<Record<string, string>> };

describe('the scripts that run for long', () => {
  // A supervisor's SIGTERM ends npm and the shell between; a shell hands nothing on.
  it.each(['start', 'test'])('npm %s leaves no shell between npm and what it is to stop', async (name) => {
    const folder = temporaryFolder({ node: '#!/bin/sh\necho $$\n' });
    chmodSync(path.join(folder, 'node'), 0o755);

    const shell = spawn('/bin/sh', ['-c', scripts[name] ?? ''], { env: { PATH: folder }, stdio: ['ignore', 'pipe', 'inherit'] });
    const [printed] = await Promise.all([text(shell.stdout), once(shell, 'exit')]);

    expect(printed.trim()).toBe(String(shell.pid));
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError } from './config-error.js';
import { environmentAndFolderSecrets, maxSecretBytes, type SecretSource } from './secrets.js';
import type { Environment } from './variable.js';

const prefix = 'WAYBILL_SECRET_';
let base: string;
let dir: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'waybill-secrets-'));
  dir = join(base, 'secrets');
  mkdirSync(dir);
});

afterEach(() => {
  rmSync(base, { recursive: true });
});

function secrets(env: Environment = {}): SecretSource {
  return environmentAndFolderSecrets({ prefix, dir }, env);
}

function refusal(act: () => unknown): ConfigError {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('environmentAndFolderSecrets', () => {
  it('reads the variable of a name with hyphens', () => {
    expect(secrets({ WAYBILL_SECRET_PROD_WRITE: 'ci:pw' }).read('prod-write')).toBe('ci:pw');
  });

  it('reads the file of a name when there is no variable', () => {
    writeFileSync(join(dir, 'prod-write'), 'ci:from-file');

    expect(secrets().read('prod-write')).toBe('ci:from-file');
    expect(secrets({ WAYBILL_SECRET_PROD_WRITE: '' }).read('prod-write')).toBe('ci:from-file');
  });

  it('prefers the variable', () => {
    writeFileSync(join(dir, 'prod-write'), 'ci:from-file');

    expect(secrets({ WAYBILL_SECRET_PROD_WRITE: 'ci:from-env' }).read('prod-write')).toBe('ci:from-env');
  });

  it.each([
    ['a:b\n', 'a:b'],
    ['a:b\r\n', 'a:b'],
    ['a:b\n\n', 'a:b\n'],
    ['a:b ', 'a:b '],
  ])('takes at most one line break off the end of %j', (written, value) => {
    writeFileSync(join(dir, 'one'), written);

    expect(secrets().read('one')).toBe(value);
  });

  it('reads a rotated file anew', () => {
    const source = secrets();
    writeFileSync(join(dir, 'one'), 'a:old');
    source.read('one');

    writeFileSync(join(dir, 'one'), 'a:new');

    expect(source.read('one')).toBe('a:new');
  });

  it('answers nothing for a secret that does not exist', () => {
    expect(secrets().read('absent')).toBeUndefined();
    expect(environmentAndFolderSecrets({ prefix }, {}).read('absent')).toBeUndefined();
    expect(environmentAndFolderSecrets({ prefix, dir: join(base, 'nowhere') }, {}).read('absent')).toBeUndefined();
  });

  it('reaches no variable outside the prefix', () => {
    expect(secrets({ DATABASE_URL: 'postgres://x' }).read('database-url')).toBeUndefined();
  });

  it.each(['', '..', '../outside', 'a/b', '.hidden', 'Prod', 'a_b', 'a--b', 'a-', '/etc/passwd', 'a\0b', 'a\n'])(
    'refuses the name %j',
    (name) => {
      writeFileSync(join(base, 'outside'), 'x:y');

      expect(refusal(() => secrets().read(name)).code).toBe('secret-invalid');
    },
  );

  it('follows links within the folder, as Kubernetes mounts secrets', () => {
    mkdirSync(join(dir, '..2026_11_01'));
    writeFileSync(join(dir, '..2026_11_01', 'one'), 'a:b');
    symlinkSync('..2026_11_01', join(dir, '..data'));
    symlinkSync(join('..data', 'one'), join(dir, 'one'));

    expect(secrets().read('one')).toBe('a:b');
  });

  it('refuses links out of the folder, also to a sibling with the same beginning', () => {
    mkdirSync(`${dir}-other`);
    writeFileSync(join(`${dir}-other`, 'one'), 'a:leaked');
    symlinkSync(join(`${dir}-other`, 'one'), join(dir, 'one'));

    const error = refusal(() => secrets().read('one'));

    expect(error.message).toBe('the secret one is a link that leads out of the secrets folder');
  });

  it('refuses what is no plain file, without waiting for it', () => {
    mkdirSync(join(dir, 'folder'));
    execFileSync('mkfifo', [join(dir, 'pipe')]);

    expect(refusal(() => secrets().read('folder')).code).toBe('secret-invalid');
    expect(refusal(() => secrets().read('pipe')).message).toBe('the secret pipe is not a plain file');
  });

  it('takes values up to the limit and refuses longer ones', () => {
    writeFileSync(join(dir, 'fits'), 'x'.repeat(maxSecretBytes));
    writeFileSync(join(dir, 'long'), 'x'.repeat(maxSecretBytes + 1));

    expect(secrets().read('fits')).toHaveLength(maxSecretBytes);
    expect(refusal(() => secrets().read('long')).message).toBe('the secret long is longer than 65536 bytes');
    expect(refusal(() => secrets({ WAYBILL_SECRET_LONG: 'x'.repeat(maxSecretBytes + 1) }).read('long')).message).not.toContain('xxx');
  });
});

import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from './config-error.js';
import type { SecretsConfig } from './configs.js';
import { type Environment, namePattern } from './variable.js';

/** Values of named secrets. They are asked for when needed and stored nowhere. */
export interface SecretSource {
  /**
   * The value of a secret, or `undefined` when nothing of that name exists.
   *
   * @throws ConfigError `secret-invalid` for a malformed name or an unusable file; never quotes a value
   */
  read(name: string): string | undefined;
}

/** Longer values are refused: a mistyped path must not load a whole disk image. */
export const maxSecretBytes = 64 * 1024;

/**
 * Secrets from variables with the allow-listed prefix and from one folder.
 *
 * The variable wins over the file: it is the narrower statement, made for this one process.
 * Files are read anew every time, so that a rotated secret needs no restart.
 */
export function environmentAndFolderSecrets(config: SecretsConfig, env: Environment = process.env): SecretSource {
  return {
    read(name) {
      if (!namePattern.test(name)) throw invalid('read secret', 'the name of a secret is lower-case letters, digits and single hyphens');
      const fromEnvironment = env[secretVariable(config.prefix, name)];
      if (fromEnvironment !== undefined && fromEnvironment !== '') return checkSize(name, fromEnvironment);
      return config.dir === undefined ? undefined : readFile(config.dir, name);
    },
  };
}

/** The variable of a secret: `prod-write` is `WAYBILL_SECRET_PROD_WRITE`. */
export function secretVariable(prefix: string, name: string): string {
  return prefix + name.toUpperCase().replaceAll('-', '_');
}

function readFile(dir: string, name: string): string | undefined {
  const path = realPath(dir, name);
  if (path === undefined) return undefined;
  // Not blocking: opening a named pipe would otherwise wait for a writer.
  const descriptor = attempt(name, () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  if (descriptor === undefined) return undefined;
  try {
    if (!fstatSync(descriptor).isFile()) throw invalid('read secret', `the secret ${name} is not a plain file`);
    const buffer = Buffer.alloc(maxSecretBytes + 1);
    const length = readWhole(descriptor, buffer);
    return checkSize(name, buffer.toString('utf8', 0, length)).replace(/\r?\n$/, '');
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Kubernetes mounts secrets as links within the folder (`name -> ..data/name -> ..2026_…/name`),
 * so links are followed, but never out of the folder.
 */
function realPath(dir: string, name: string): string | undefined {
  return attempt(name, () => {
    const root = realpathSync(dir);
    const path = realpathSync(join(root, name));
    if (!isWithin(root, path)) throw invalid('read secret', `the secret ${name} is a link that leads out of the secrets folder`);
    return path;
  });
}

function isWithin(root: string, path: string): boolean {
  const parent = dirname(path);
  return parent === root || parent.startsWith(root === '/' ? root : `${root}/`);
}

function readWhole(descriptor: number, buffer: Buffer): number {
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) break;
    length += count;
  }
  return length;
}

function checkSize(name: string, value: string): string {
  if (Buffer.byteLength(value) > maxSecretBytes) throw invalid('read secret', `the secret ${name} is longer than ${maxSecretBytes} bytes`);
  return value;
}

/** A missing file is an answer; any other failure of the file system is an error without the value or path in it. */
function attempt<T>(name: string, act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw invalid('read secret', `the file of the secret ${name} cannot be read (${code ?? 'unknown error'})`);
  }
}

function invalid(operation: string, message: string): ConfigError {
  return new ConfigError(message, { code: 'secret-invalid', operation });
}

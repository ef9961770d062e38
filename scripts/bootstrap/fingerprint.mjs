import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

const WORKSPACE_FOLDERS = ['libs', 'apps'];

/**
 * The workspaces' folders, relative to the repository, sorted.
 *
 * @param {string} root
 * @returns {string[]}
 */
export function workspaces(root) {
  return WORKSPACE_FOLDERS.flatMap((folder) =>
    subfolders(path.join(root, folder))
      .map((name) => `${folder}/${name}`)
      .filter((workspace) => existsSync(path.join(root, workspace, 'package.json'))),
  );
}

/**
 * Changes when the content of one of the files, or which of them exist, changes.
 *
 * @param {string} root
 * @param {readonly string[]} files relative to the root; a missing one counts as absent
 * @returns {string}
 */
export function contentHash(root, files) {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) {
    const absolute = path.join(root, file);
    hash.update(`${file}\0`);
    hash.update(existsSync(absolute) ? readFileSync(absolute) : '\0absent');
    hash.update('\0');
  }
  return hash.digest('hex');
}

/**
 * Changes when a file that the compiler reads appears, disappears, or gets another time or size.
 * Contents are not read: this runs on every start.
 *
 * @param {string} root
 * @returns {string}
 */
export function sourceFingerprint(root) {
  const hash = createHash('sha256');
  for (const file of compiledFiles(root)) {
    const { mtimeMs, size } = statSync(path.join(root, file));
    hash.update(`${file}\0${mtimeMs}\0${size}\n`);
  }
  return hash.digest('hex');
}

/** @param {string} root */
function compiledFiles(root) {
  const files = readdirSync(root).filter((name) => /^tsconfig\..*json$|^tsconfig\.json$/.test(name));
  for (const workspace of workspaces(root)) {
    files.push(`${workspace}/package.json`, `${workspace}/tsconfig.json`);
    files.push(...sourcesBelow(root, `${workspace}/src`));
  }
  return files.filter((file) => existsSync(path.join(root, file))).sort();
}

/** @param {string} root @param {string} folder @returns {string[]} */
function sourcesBelow(root, folder) {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

/** @param {string} folder */
function subfolders(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

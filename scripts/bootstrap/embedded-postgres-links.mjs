import { existsSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';

/**
 * npm packages cannot hold symbolic links. The embedded PostgreSQL lists those its libraries need, and makes them in
 * an install script; install scripts do not run here, so they are made by this function.
 *
 * @param {string} scope the folder that holds the packages of the platforms
 */
export function linkEmbeddedPostgres(scope) {
  if (!existsSync(scope)) return;
  for (const platform of readdirSync(scope)) {
    const folder = path.join(scope, platform);
    const list = path.join(folder, 'native/pg-symlinks.json');
    if (existsSync(list)) makeLinks(folder, JSON.parse(readFileSync(list, 'utf8')));
  }
}

/** @param {string} folder @param {readonly { source: string, target: string }[]} links `target` is the link's own name */
function makeLinks(folder, links) {
  for (const { source, target } of links) {
    const link = path.join(folder, target);
    if (!existsSync(link)) symlinkSync(path.relative(path.dirname(target), source), link);
  }
}

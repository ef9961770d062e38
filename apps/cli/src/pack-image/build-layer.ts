import { stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { LayerEntry } from '@waybill/oci-layout';
import { isNeededOfBuild } from './ballast.js';
import { PackError } from './pack-error.js';
import type { ProductionPackages } from './production-packages.js';
import { walkFiles } from './walk-files.js';

/** Of the repository's root: what the program reads beside its code. */
const rootFiles = ['package.json', 'LICENSE', 'topology.example.yaml', 'prisma'] as const;

/** Of a workspace. A `bin` need not exist. */
const workspaceParts = ['package.json', 'dist'] as const;

/** A file without an extension is CommonJS to Node, which may import a module. */
const launcher = (home: string): string => `#!/usr/local/bin/node\nimport('/${home}/apps/cli/dist/main.js');\n`;

/**
 * Waybill itself, as the build left it.
 * @throws PackError `build-missing`
 */
export async function* buildEntries(root: string, home: string, production: ProductionPackages): AsyncGenerator<LayerEntry> {
  yield { kind: 'text', path: 'usr/local/bin/waybill', text: launcher(home), executable: true };
  for (const name of rootFiles) yield* partEntries(root, home, name);
  for (const workspace of production.workspaces) {
    for (const part of workspaceParts) yield* partEntries(root, home, `${workspace}/${part}`);
    if ((await kindOf(join(root, workspace, 'bin'))) !== undefined) yield* partEntries(root, home, `${workspace}/bin`);
  }
  for (const [link, workspace] of production.links) {
    yield { kind: 'symlink', path: `${home}/${link}`, target: relative(dirname(link), workspace) };
  }
}

async function* partEntries(root: string, home: string, part: string): AsyncGenerator<LayerEntry> {
  const source = join(root, part);
  const kind = await kindOf(source);
  if (kind === undefined) throw new PackError('build-missing', `${source} is missing: build the repository first`);
  if (kind === 'file') {
    yield { kind: 'file', path: `${home}/${part}`, source, executable: false };
    return;
  }
  for await (const file of walkFiles(source, isNeededOfBuild)) {
    yield { kind: 'file', path: `${home}/${part}/${file}`, source: join(source, file), executable: false };
  }
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return undefined;
  }
}

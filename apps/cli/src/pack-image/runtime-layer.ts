import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { LayerEntry } from '@waybill/oci-layout';
import { entriesOnPath } from './linked-path.js';
import { PackError } from './pack-error.js';

/** Who runs in the image, by number because that is what container engines check. */
export const imageUser = { id: 10001, home: '/tmp' } as const;

export interface Runtime {
  readonly entries: readonly LayerEntry[];
  /** Folders of libraries that the dynamic loader does not search by itself. */
  readonly libraryFolders: readonly string[];
}

/** Asked of a process of its own: this one may have loaded libraries that Node alone does not need. */
const question = `
  process.report.excludeNetwork = true;
  console.log(JSON.stringify(process.report.getReport().sharedObjects));
`;

/** Where glibc and musl look without being told: /lib, /usr/lib, lib64 and Debian's folders per architecture. */
const searchedFolder = /^(?:\/usr)?\/lib(?:64|32)?(?:\/[^/]+-linux-[^/]+)?$/;

/** Loaded by older C libraries by name when a host name is looked up, so no program lists them. */
const loadedByName = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'];

/**
 * The Node binary `node` with the shared libraries it needs, and the few files that programs expect of a system.
 * @throws PackError `runtime-unreadable`
 */
export async function findRuntime(node: string): Promise<Runtime> {
  const libraries = await librariesOf(node);
  const byPath = new Map<string, LayerEntry>();
  for (const library of libraries) {
    for (const entry of await entriesOnPath(library)) byPath.set(entry.path, entry);
  }
  const folders = new Set(libraries.map((library) => dirname(library)));
  return {
    entries: [{ kind: 'file', path: 'usr/local/bin/node', source: node, executable: true }, ...byPath.values(), ...systemFiles],
    libraryFolders: [...folders].filter((folder) => !searchedFolder.test(folder)).sort(),
  };
}

async function librariesOf(node: string): Promise<readonly string[]> {
  const objects = await sharedObjectsOf(node);
  // The kernel's own object is no file, and has no absolute path.
  const libraries = objects.filter((path) => path.startsWith('/') && path !== node && !path.endsWith('.node'));
  const libc = libraries.find((path) => path.endsWith('/libc.so.6'));
  if (libc === undefined) return libraries;
  const siblings = loadedByName.map((name) => join(dirname(libc), name)).filter((path) => !libraries.includes(path));
  const present = await Promise.all(siblings.map(exists));
  return [...libraries, ...siblings.filter((_, index) => present[index] === true)];
}

async function sharedObjectsOf(node: string): Promise<readonly string[]> {
  try {
    const { stdout } = await promisify(execFile)(node, ['-e', question], { env: {}, timeout: 30_000 });
    return JSON.parse(stdout) as readonly string[];
  } catch (cause) {
    throw new PackError('runtime-unreadable', `${node} did not tell which libraries it needs`, cause);
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

const systemFiles: readonly LayerEntry[] = [
  { kind: 'directory', path: 'tmp', mode: 0o1777 },
  {
    kind: 'text',
    path: 'etc/passwd',
    text: lines(
      'root:x:0:0:root:/root:/sbin/nologin',
      'nobody:x:65534:65534:nobody:/:/sbin/nologin',
      `waybill:x:${imageUser.id}:${imageUser.id}:waybill:${imageUser.home}:/sbin/nologin`,
    ),
  },
  { kind: 'text', path: 'etc/group', text: lines('root:x:0:', 'nogroup:x:65534:', `waybill:x:${imageUser.id}:`) },
  { kind: 'text', path: 'etc/nsswitch.conf', text: lines('hosts: files dns') },
];

function lines(...text: readonly string[]): string {
  return `${text.join('\n')}\n`;
}

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseTag } from '@waybill/oci-model';
import { OciLayout } from '@waybill/oci-layout';
import { type BuiltContent, findServer, pushBuilt } from '@waybill/testing';

/** Runs skopeo and gives what it prints; rejects with what it complains of. */
export async function skopeo(...args: string[]): Promise<Buffer> {
  const program = findServer('skopeo');
  if (program === undefined) throw new Error('skopeo is not on the PATH: guard the suite with describeWith');
  const { stdout } = await promisify(execFile)(program.path, args, { encoding: 'buffer', timeout: 60_000 });
  return stdout;
}

/** The manifest that a registry serves, byte for byte. */
export function rawManifest(registry: { readonly port: number }, reference: string): Promise<Buffer> {
  return skopeo('inspect', '--raw', '--tls-verify=false', `docker://127.0.0.1:${registry.port}/${reference}`);
}

/** Writes an image as an OCI layout and pushes it with skopeo, as a pipeline would. */
export async function pushWithSkopeo(registry: { readonly port: number }, reference: string, built: BuiltContent): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-layout-'));
  try {
    const store = (await OciLayout.create(folder)).store();
    await pushBuilt(store, built);
    await store.putTag(parseTag('built'), built.manifest);
    const to = `docker://127.0.0.1:${registry.port}/${reference}`;
    await skopeo('copy', '--quiet', '--all', '--preserve-digests', '--dest-tls-verify=false', `oci:${folder}:built`, to);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

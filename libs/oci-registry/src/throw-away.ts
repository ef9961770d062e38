import { randomUUID } from 'node:crypto';
import { type Manifest, manifestFromBytes, mediaType } from '@waybill/oci-model';
import { z } from 'zod';

const mark = 'waybill.untag';
const ThrowAway = z.object({ manifests: z.array(z.unknown()).length(0), annotations: z.object({ [mark]: z.string() }) });

/** A manifest that nothing else can be: it is there to be deleted, and a tag with it. It needs no content beneath it. */
export function makeThrowAway(): Manifest {
  const content = { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [], annotations: { [mark]: randomUUID() } };
  return manifestFromBytes(Buffer.from(JSON.stringify(content)), mediaType.ociIndex);
}

/** Was this made to be deleted, and left behind by a process that ended too early? */
export function isThrowAway(manifest: Manifest): boolean {
  return ThrowAway.safeParse(JSON.parse(Buffer.from(manifest.bytes).toString('utf8'))).success;
}

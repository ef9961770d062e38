import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyGraph } from '@waybill/oci-copy';
import { OciLayout } from '@waybill/oci-layout';
import { type Digest, parseTag } from '@waybill/oci-model';
import { buildSignedArtifact, describeWith, MemoryStore, pushArtifact } from '@waybill/testing';
import { type ClientHome, makeClientHome } from './clients.js';

const artifact = buildSignedArtifact();
const tag = parseTag('1.0.0');
const root = artifact.root.manifest.digest;

/** What refers to a manifest: by its own word, and by tags of cosign's. */
function referrersOf(subject: Digest): Digest[] {
  return artifact.referrers.filter((each) => each.subject === subject).map(({ manifest }) => manifest.digest);
}
function attachedTo(subject: Digest): Digest[] {
  return artifact.cosignTags.filter((each) => each.subject === subject).map(({ content }) => content.manifest.digest);
}

/** As `oras discover --format json` prints it. */
interface Discovered {
  readonly digest: string;
  readonly referrers: readonly Discovered[];
}

function discoveredFrom(digest: Digest): Discovered {
  return { digest, referrers: referrersOf(digest).map(discoveredFrom) };
}

describe('a layout that was written by a copy', () => {
  let home: ClientHome;
  let layout: string;
  beforeAll(async () => {
    home = await makeClientHome([]);
    layout = join(home.folder, 'layout');
    const source = new MemoryStore();
    await pushArtifact(source, artifact);
    const store = (await OciLayout.create(layout)).store();
    await copyGraph(source, root, [{ id: 'layout', store, tags: [tag] }], { referrers: 'all' });
  });
  afterAll(() => home.dispose());

  describeWith('oras', 'shows oras', () => {
    // Within a layout oras finds what `index.json` names, and so no manifest of a platform.
    it('what refers to the image, and to that in turn', async () => {
      const said = await home.run('oras', ['discover', '--oci-layout', '--format=json', `${layout}:${tag}`]);

      expect(JSON.parse(said.toString())).toMatchObject(discoveredFrom(root));
    });
  });

  describeWith('regctl', 'shows regctl', () => {
    const subjects = [...new Set([...artifact.referrers, ...artifact.cosignTags].map(({ subject }) => subject))];
    const listed = async (subject: Digest, options: readonly string[]) => {
      const format = '--format={{range .Descriptors}}{{println .Digest}}{{end}}';
      const said = await home.run('regctl', ['artifact', 'list', ...options, format, `ocidir://${layout}@${subject}`]);
      return said.toString().trim().split('\n').toSorted();
    };

    it.each(subjects.filter((subject) => referrersOf(subject).length > 0))('what refers to %s', async (subject) => {
      expect(await listed(subject, [])).toEqual(referrersOf(subject).toSorted());
    });

    it.each(subjects)('that, and what cosign’s tags attach to %s', async (subject) => {
      const expected = [...referrersOf(subject), ...attachedTo(subject)];

      expect(await listed(subject, ['--digest-tags'])).toEqual(expected.toSorted());
    });
  });
});

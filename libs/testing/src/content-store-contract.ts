import { describeAborts } from './content-store/aborts.contract.js';
import { describeBlobs } from './content-store/blobs.contract.js';
import { type ContentStoreFeatures, type ContentStoreFixture, Fixtures } from './content-store/fixture.js';
import { describeManifests } from './content-store/manifests.contract.js';
import { describeMounts } from './content-store/mounts.contract.js';
import { describeReferrers } from './content-store/referrers.contract.js';
import { describeRemoval } from './content-store/removal.contract.js';
import { describeTags } from './content-store/tags.contract.js';
import { jestGlobals } from './jest-globals.js';

/**
 * The contract of the content ports (libs/oci-model/src/ports.ts), as tests. Everything that
 * calls itself a ContentStore passes it: a registry behind the client, a layout on disk, a fake.
 * `factory` is called for every test and gives an empty store.
 */
export function describeContentStore(name: string, factory: () => Promise<ContentStoreFixture>, features: ContentStoreFeatures = {}): void {
  const { afterEach, describe } = jestGlobals();

  describe(`${name} as a content store`, () => {
    const fixtures = new Fixtures(factory);
    afterEach(() => fixtures.dispose());

    describeManifests(fixtures, features);
    describeBlobs(fixtures, features);
    describeTags(fixtures);
    describeMounts(fixtures, features);
    describeReferrers(fixtures, features);
    describeRemoval(fixtures, features);
    describeAborts(fixtures);
  });
}

/**
 * The conformance suite of the OCI distribution specification, release v1.1.1. Its module lies in a folder of that
 * repository and carries no tags of its own, so the release is pinned by its commit.
 */
export const suite = {
  name: 'oci-conformance',
  module: 'github.com/opencontainers/distribution-spec/conformance',
  version: 'v0.0.0-20250123160558-a139cc423184',
} as const;

/** What the name of every test begins with, and after it the workflow's. */
export const title = 'OCI Distribution Conformance Tests';

/** The names of the suite's workflows, as they stand in its report. */
export const workflows = ['Pull', 'Push', 'Content Discovery', 'Content Management'] as const;

/** The least that must have passed. A variable that is not set leaves whole workflows out in silence. */
export const floor = { tests: 60, perWorkflow: 8 } as const;

export interface SuiteSettings {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly reportDir: string;
  /** Whether the suite's clean-up deletes manifests before the blobs that they need, or after. */
  readonly manifestsFirst: boolean;
}

/** Every variable that decides what the suite does. Nothing else of the environment may. */
export function environmentFor({ url, reportDir, manifestsFirst }: SuiteSettings): Record<string, string> {
  return {
    OCI_ROOT_URL: url,
    OCI_NAMESPACE: 'waybill/conformance',
    OCI_CROSSMOUNT_NAMESPACE: 'waybill/mounted',
    OCI_AUTOMATIC_CROSSMOUNT: '1',
    OCI_DELETE_MANIFEST_BEFORE_BLOBS: manifestsFirst ? '1' : '0',
    OCI_TEST_PULL: '1',
    OCI_TEST_PUSH: '1',
    OCI_TEST_CONTENT_DISCOVERY: '1',
    OCI_TEST_CONTENT_MANAGEMENT: '1',
    OCI_HIDE_SKIPPED_WORKFLOWS: '0',
    OCI_DEBUG: '0',
    OCI_REPORT_DIR: reportDir,
  };
}

/** Why a test of the suite does not run against the local registry; by the end of its name. */
export const skipReasons: Readonly<Record<string, string>> = {
  'Get tag name from environment': 'the suite pushes what it pulls, which asks more of the registry than content named by OCI_TAG_NAME',
  'Populate registry with test tags (no push)': 'the suite pushes the tags that it lists, instead of being told them by OCI_TAG_LIST',
  'Cross-mounting of nonexistent blob should yield session id':
    'runs only where the mount before it was refused with 202; this registry mounts, and the test of that runs in its place',
  'Cross-mounting without from, and automatic content discovery disabled should return a 202':
    'this registry finds a blob without `from`, and the test of that runs in its place',
};

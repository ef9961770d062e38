// The programs in Go that the interoperability suite runs, each at one version: a new one is a change of this file alone.

/**
 * @typedef {import('./install.mjs').GoTool} GoTool
 * @typedef {'distribution' | 'zot' | 'crane' | 'regctl' | 'oras' | 'cosign'} ProgramName
 * @typedef {GoTool & { name: ProgramName, mayBeRefused?: string }} Program
 *   `mayBeRefused`: why a machine with Go may fail to get it, for reasons that say nothing about us
 */

/** No C compiler is wanted, and nobody debugs them: without symbols they link faster and take half the room. */
const lean = { flags: ['-ldflags=-s -w'], env: { CGO_ENABLED: '0' } };

/** @type {Readonly<Record<ProgramName, Program>>} */
export const programs = {
  distribution: { name: 'distribution', module: 'github.com/distribution/distribution/v3/cmd/registry', version: 'v3.1.2', ...lean },
  zot: {
    name: 'zot',
    module: 'zotregistry.dev/zot/v2/cmd/zot',
    version: 'v2.1.13',
    env: lean.env,
    // Without a tag for any extension this is upstream's minimal build: the distribution API and nothing else.
    flags: [...lean.flags, '-tags=containers_image_openpgp'],
    mayBeRefused: 'some module proxies do not carry it',
  },
  crane: { name: 'crane', module: 'github.com/google/go-containerregistry/cmd/crane', version: 'v0.22.1', ...lean },
  regctl: { name: 'regctl', module: 'github.com/regclient/regclient/cmd/regctl', version: 'v0.11.7', ...lean },
  oras: { name: 'oras', module: 'oras.land/oras', main: './cmd/oras', version: 'v1.3.2', ...lean },
  cosign: { name: 'cosign', module: 'github.com/sigstore/cosign/v3/cmd/cosign', version: 'v3.1.3', ...lean },
};

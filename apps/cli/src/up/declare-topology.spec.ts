import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseTopology } from '@waybill/topology';
import type { WaybillApi } from '../api-client/waybill-api.js';
import { ApiProblem } from '../api-client/api-problem.js';
import { promotionId } from '../scripted-api.spec-helper.js';
import type { TopologyFile } from '../topology/read-topology-file.js';
import { declareTopology } from './declare-topology.js';

/** The revisions of a system, as its API tells and takes them. */
class Revisions {
  readonly sources: string[] = [];

  readonly api: Pick<WaybillApi, 'topology' | 'applyTopology'> = {
    topology: () => {
      const source = this.sources.at(-1);
      if (source === undefined) return Promise.reject(new ApiProblem('no topology was applied yet', { code: 'no-topology' }));
      return Promise.resolve({ revision: this.#newest(), registries: [], paths: [], replications: [], source });
    },
    applyTopology: (source) => {
      const changed = this.sources.at(-1) !== source;
      if (changed) this.sources.push(source);
      return Promise.resolve({ revision: this.#newest(), changed });
    },
  };

  #newest() {
    return { number: this.sources.length, name: 'test', hash: 'ab', appliedBy: promotionId, appliedAt: '2026-05-01T10:00:00Z' };
  }
}

const text = (name: string): string => `apiVersion: waybill/v1
kind: Topology
metadata: { name: ${name} }
locations: { eu: {} }
registries:
  ci: { role: ci-snapshots, location: eu, local: true }
`;

function fileOf(source: string, file = 'topology.yaml'): TopologyFile {
  const { topology } = parseTopology(source, { file });
  if (topology === undefined) throw new Error('the file of this spec is broken');
  return { file, source, topology, warnings: [] };
}

describe('the topology of a start', () => {
  let dir: string;
  let revisions: Revisions;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'waybill-declare-'));
    revisions = new Revisions();
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const start = (source: string) => declareTopology(revisions.api, fileOf(source), dir);

  it('is applied where there is none, and is unchanged at the next start', async () => {
    expect(await start(text('one'))).toMatchObject({ revision: 1, line: 'Topology revision 1 applied' });
    expect(await start(text('one'))).toMatchObject({ revision: 1, line: 'Topology revision 1, unchanged' });
    expect(revisions.sources).toEqual([text('one')]);
  });

  it('undoes nothing that was applied since, says so, and tells how to have the file', async () => {
    await start(text('one'));
    await revisions.api.applyTopology(text('other'), 'other.yaml');

    const declared = await start(text('one'));

    expect(declared).toMatchObject({ revision: 2, topology: { name: 'other' } });
    expect(declared.line).toBe(
      'Topology revision 2 is kept, since topology.yaml has not changed since a start applied it; to make it the active one: waybill topology apply topology.yaml',
    );
    expect(revisions.sources).toEqual([text('one'), text('other')]);
  });

  it('is applied when the file was changed since, or when another file is named', async () => {
    await start(text('one'));
    await revisions.api.applyTopology(text('other'), 'other.yaml');

    expect(await start(text('two'))).toMatchObject({ revision: 3, topology: { name: 'two' } });
    expect(await start(text('one'))).toMatchObject({ revision: 4 });
  });

  it('takes a file that somebody applied by hand for applied', async () => {
    await start(text('one'));
    await revisions.api.applyTopology(text('two'), 'topology.yaml');
    expect(await start(text('two'))).toMatchObject({ revision: 2, line: 'Topology revision 2, unchanged' });
    await revisions.api.applyTopology(text('other'), 'other.yaml');

    expect(await start(text('two'))).toMatchObject({ revision: 3, topology: { name: 'other' } });
  });

  it('does not push aside what others run by in a database that was there before', async () => {
    await revisions.api.applyTopology(text('theirs'), 'theirs.yaml');

    const declared = await start(text('one'));

    expect(declared.topology.name).toBe('theirs');
    expect(declared.line).toContain('topology.yaml was never applied by a start');
  });
});

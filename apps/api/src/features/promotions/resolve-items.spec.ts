import { beforeEach, describe, expect, it } from '@jest/globals';
import { ContentError, digestOf, parseRepositoryName, parseTag, type Tag } from '@waybill/oci-model';
import type { PlannedItem, RegistryReader, RepositoryReader } from '@waybill/promotion';
import { buildImage } from '@waybill/testing';
import type { PlacedRegistry, Topology } from '@waybill/topology';
import { resolveItems } from './resolve-items.js';

const { manifest } = buildImage();
const repository = parseRepositoryName('team-a/app');
const tag = parseTag('1.0.0');
const earlier = digestOf(Buffer.from('an earlier release'));

function placed(name: string, role: PlacedRegistry['role']): PlacedRegistry {
  return { name, role, location: 'eu', insecure: false, url: `https://${name}.example.com`, immutableTags: { kind: 'none' } };
}

const topology: Topology = {
  name: 'spec',
  locations: { eu: { egress: {} } },
  registries: { ci: placed('ci', 'ci-snapshots'), prod: placed('prod', 'prod') },
  paths: { release: { name: 'release', from: 'ci', to: ['prod'], repositories: ['**'], tags: '.*', target: '{repository}' } },
  replications: [],
  retention: [],
};

const item: PlannedItem = {
  source: { registry: 'ci', repository, tag },
  reference: tag,
  tags: [tag],
  targets: [{ registry: 'prod', location: 'eu', repository, requirement: 'required' }],
};

/** One registry, whose single answers a spec replaces. */
class FakeReader implements RegistryReader {
  readonly asked: string[] = [];
  readonly answers: RepositoryReader;

  constructor(answers: Partial<RepositoryReader>) {
    const silent = () => Promise.reject(new ContentError('nobody listens', { code: 'unreachable', operation: 'test' }));
    this.answers = { readManifest: silent, probeBlob: silent, resolveTag: silent, listTags: () => emptyList(), ...answers };
  }

  repository(): RepositoryReader {
    return new Proxy(this.answers, {
      get: (target, name) => {
        this.asked.push(String(name));
        return Reflect.get(target, name) as unknown;
      },
    });
  }

  repositories(): AsyncIterable<never> {
    return emptyList();
  }

  shareOrigin(): boolean {
    return false;
  }
}

async function* emptyList(): AsyncGenerator<never> {
  yield* [];
}

describe('resolveItems', () => {
  let targetAsked: Promise<void>;
  let askTarget: () => void;

  beforeEach(() => {
    targetAsked = new Promise((resolve) => {
      askTarget = resolve;
    });
  });

  const resolve = (sources: FakeReader, targets: FakeReader) =>
    resolveItems([item], {
      topology,
      readers: { sources, targets },
      deadlineMs: 60_000,
      limits: { manifests: 64, probes: 64 },
      mayName: () => true,
    });

  it('asks the targets for their tags while a source is read', async () => {
    const sources = new FakeReader({ readManifest: () => targetAsked.then(() => manifest) });
    const targets = new FakeReader({
      resolveTag: () => {
        askTarget();
        return Promise.resolve(earlier);
      },
      probeBlob: () => Promise.resolve(true),
    });

    const { items, forecast } = await resolve(sources, targets);

    expect(items).toEqual([
      {
        source: item.source,
        digest: manifest.digest,
        mediaType: manifest.mediaType,
        targets: [{ ...item.targets[0], tags: [{ tag, expected: { kind: 'digest', digest: earlier } }] }],
      },
    ]);
    expect(forecast.targets).toHaveLength(1);
    expect(targets.asked[0]).toBe('resolveTag');
  });

  it('leaves nothing running at the targets when a source is refused', async () => {
    let stopped = false;
    const sources = new FakeReader({
      readManifest: () => targetAsked.then(() => Promise.reject(new ContentError('no', { code: 'denied', operation: 'test' }))),
    });
    const targets = new FakeReader({
      resolveTag: (_tag: Tag, signal?: AbortSignal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            stopped = true;
            reject(new ContentError('stopped', { code: 'aborted', operation: 'test' }));
          });
          askTarget();
        }),
    });

    await expect(resolve(sources, targets)).rejects.toMatchObject({ code: 'source-refused' });

    expect(stopped).toBe(true);
    expect(targets.asked).toEqual(['resolveTag']);
  });

  it('forecasts nothing of targets that do not answer, and expects what nobody knows', async () => {
    const { items, forecast } = await resolve(new FakeReader({ readManifest: () => Promise.resolve(manifest) }), new FakeReader({}));

    expect(items[0]?.targets[0]?.tags).toEqual([{ tag, expected: { kind: 'unknown' } }]);
    expect(forecast.targets[0]).toMatchObject({ registry: 'prod' });
  });
});

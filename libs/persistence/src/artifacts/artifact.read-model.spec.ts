import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { digestOf, digestToBytes, type RepositoryName, type Tag } from '@waybill/oci-model';
import { image, manifestNamed, MemoryCopier, repository, Scene } from '../scene.spec-helper.js';
import { TopologyRevisions } from '../topology/topology-revisions.js';
import { ArtifactReadModel, type KnownPlace, type Place } from './artifact.read-model.js';

const config = digestOf(Buffer.from('the image'));

describe('where a digest is known to be', () => {
  let scene: Scene;
  let artifacts: ArtifactReadModel;
  let promotionId: string;
  let nameOf: ReadonlyMap<string, string>;
  let idOf: (name: string) => string;

  beforeAll(async () => {
    scene = await Scene.start();
    artifacts = new ArtifactReadModel(scene.database);
    const registries = await new TopologyRevisions(scene.database).currentRegistries();
    nameOf = new Map(registries.map(({ id, name }) => [id, name]));
    idOf = (name) => registries.find((registry) => registry.name === name)?.id ?? '';
    promotionId = await scene.request({ tags: ['1.0.0', 'latest'] as Tag[] });
    const copier = new MemoryCopier();
    const messages = await scene.takeMessages();
    for (const message of messages.filter(({ location }) => location === 'eu')) await scene.run(message, copier);
    // The replica's worker dies between the manifest that it means to write and anything else.
    const { journal, target } = await scene.open(await scene.messageOf(promotionId, 'us'));
    await journal.intendManifest(target, image);
  });
  afterAll(async () => {
    await scene.close();
  });

  const named = (places: readonly KnownPlace[]) =>
    Object.fromEntries(places.map((place) => [`${nameOf.get(place.registryId) ?? '?'}/${place.repository}`, place]));

  it('names the source, what was seen at the target, and where somebody meant to write it', async () => {
    const places = named(await artifacts.places(image.digest, { limit: 50 }));

    expect(Object.fromEntries(Object.entries(places).map(([name, place]) => [name, place.record]))).toEqual({
      'ci/team-a/app': 'source',
      'prod/team-a/app': 'placement',
      'prod-us/team-a/app': 'effect',
    });
    expect(Object.values(places).map((place) => place.promotionId)).toEqual([promotionId, promotionId, promotionId]);
    expect(places['prod/team-a/app']?.lastSeen?.getTime()).toBeGreaterThanOrEqual(places['prod/team-a/app']?.since?.getTime() ?? Infinity);
    expect(places['prod/team-a/app']?.until).toBeUndefined();
    expect(places['prod-us/team-a/app']).toMatchObject({ since: undefined, lastSeen: undefined });
    expect(places['ci/team-a/app']?.lastSeen).toBeInstanceOf(Date);
  });

  it('gives each place once, page after page', async () => {
    const places: KnownPlace[] = [];
    let after: Place | undefined;
    do {
      const [place, ...more] = await artifacts.places(image.digest, { limit: 1, after });
      expect(more).toEqual([]);
      after = place;
      if (place !== undefined) places.push(place);
    } while (after !== undefined);

    expect(places).toEqual(await artifacts.places(image.digest, { limit: 50 }));
    expect(places).toHaveLength(3);
  });

  it('knows where a blob is, and nothing of what was never seen', async () => {
    expect(Object.keys(named(await artifacts.places(config, { limit: 50 })))).toEqual(['prod/team-a/app']);
    expect(await artifacts.places(digestOf(Buffer.from('unknown')), { limit: 50 })).toEqual([]);
  });

  it('names the tags that the source was asked for by, and those that were written', async () => {
    const places = await artifacts.places(image.digest, { limit: 50 });
    const tags = await artifacts.tags(image.digest, places);

    expect(tags.map(({ registryId, tag, names }) => [nameOf.get(registryId), tag, names === image.digest]).sort()).toEqual([
      ['ci', '1.0.0', true],
      ['prod', '1.0.0', true],
      ['prod', 'latest', true],
    ]);
    expect(await artifacts.tags(image.digest, [])).toEqual([]);
  });

  it('says what a tag was last seen to name', async () => {
    const other = manifestNamed('another').digest;
    const place = { registryId: idOf('prod'), repository };
    const note = (tag: string, digest: Uint8Array | null) =>
      scene.database.tables.$executeRaw`
        INSERT INTO tag_event (registry_id, repository, tag, digest) VALUES (${place.registryId}::uuid, ${repository}, ${tag}, ${digest}::bytea)`;
    await note('latest', digestToBytes(other));
    await note('gone', digestToBytes(image.digest));
    await note('gone', null);

    expect(await artifacts.tags(image.digest, [place])).toEqual([
      { ...place, tag: '1.0.0', names: image.digest },
      { ...place, tag: 'gone', names: undefined },
      { ...place, tag: 'latest', names: other },
    ]);
  });

  it('names no more than twenty tags of a place', async () => {
    const place = { registryId: idOf('prod-b'), repository };
    await scene.database.tables.$executeRaw`
      INSERT INTO tag_event (registry_id, repository, tag, digest)
      SELECT ${place.registryId}::uuid, ${repository}, 'v' || n, ${digestToBytes(image.digest)} FROM generate_series(1, 30) AS n`;

    expect(await artifacts.tags(image.digest, [place])).toHaveLength(20);
  });

  it('tells what it is and what is beneath it', async () => {
    expect(await artifacts.content(image.digest)).toEqual({
      digest: image.digest,
      mediaType: image.mediaType,
      size: image.bytes.byteLength,
    });
    expect(await artifacts.content(digestOf(Buffer.from('unknown')))).toBeUndefined();
    expect((await artifacts.relatives(image.digest, [])).children.map(({ digest }) => digest)).toEqual([config]);
  });

  it('tells what is above it, and what refers to it, only where these were seen', async () => {
    const [index, signature] = [manifestNamed('index'), manifestNamed('signature')];
    const prod = { registryId: idOf('prod'), repository };
    for (const [parent, kind] of [[index, 'child'] as const, [signature, 'subject'] as const]) {
      await scene.database.tables.$executeRaw`
        INSERT INTO content VALUES (${digestToBytes(parent.digest)}, ${parent.mediaType}, ${parent.bytes.byteLength})`;
      await scene.database.tables.$executeRaw`
        INSERT INTO content_edge VALUES (${digestToBytes(parent.digest)}, ${digestToBytes(image.digest)}, ${kind})`;
      await scene.database.tables.$executeRaw`
        INSERT INTO placement (registry_id, repository, digest, seen_by)
        VALUES (${prod.registryId}::uuid, ${repository}, ${digestToBytes(parent.digest)}, ${uuidV7.next()}::uuid)`;
    }
    const elsewhere = [
      { ...prod, repository: 'team-b/app' as RepositoryName },
      { ...prod, registryId: idOf('prod-b') },
    ];

    expect(await artifacts.relatives(image.digest, [...elsewhere, prod])).toMatchObject({
      parents: [{ digest: index.digest }],
      referrers: [{ digest: signature.digest }],
    });
    expect(await artifacts.relatives(image.digest, elsewhere)).toMatchObject({ parents: [], referrers: [] });
  });

  it('tells since when something is missing', async () => {
    const prod = { registryId: idOf('prod'), repository };
    await scene.database.tables.$executeRaw`
      UPDATE placement SET seen_until = now() WHERE registry_id = ${prod.registryId}::uuid AND digest = ${digestToBytes(image.digest)}`;

    const place = named(await artifacts.places(image.digest, { limit: 50 }))['prod/team-a/app'];

    expect(place).toMatchObject({ record: 'placement', until: expect.any(Date) });
    expect(place?.lastSeen).toEqual(place?.until);
  });
});

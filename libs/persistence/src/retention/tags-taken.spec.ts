import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { parseRepositoryName, type RepositoryName, type Tag } from '@waybill/oci-model';
import { NotificationIntake } from '../registry-notifications/notification-intake.js';
import type { Told } from '../registry-notifications/told.js';
import type { ExecutionRecordsStore } from './execution-records.js';
import { ExecutionScene } from './execution-scene.spec-helper.js';
import { named, seedTag } from './inventory-rows.spec-helper.js';
import { beginPurge } from './purge-scene.spec-helper.js';

const tag = 'v1' as Tag;

describe('a tag that was missed while a run deleted', () => {
  let scene: ExecutionScene;
  let count = 0;
  let repository: RepositoryName;
  let names: { readonly old: string; readonly kept: string; readonly other: string };
  let records: ExecutionRecordsStore;

  beforeAll(async () => {
    scene = await ExecutionScene.start();
    await scene.database.tables.$executeRaw`
      INSERT INTO notification_feed (registry_id, location, silence) VALUES (${scene.registryId}::uuid, 'eu', interval '1 minute')`;
  });
  afterAll(() => scene.close());

  beforeEach(async () => {
    count += 1;
    names = { old: `old ${count}`, kept: `kept ${count}`, other: `other ${count}` };
    repository = parseRepositoryName(`team-${count}/app`);
    const { old, kept, other } = names;
    await scene.seed({ repository, manifests: { [old]: {}, [kept]: {}, [other]: {} }, tags: { 'br-1': old, v1: kept, v2: other } });
    const run = await scene.acting([{ repository, manifests: [old] }]);
    records = await scene.toDeleting(run, [old], repository);
  });
  afterEach(async () => {
    const { tables } = scene.database;
    await scene.expire();
    await tables.$executeRaw`UPDATE retention_mark SET state = 'spared', settled_at = now() WHERE settled_at IS NULL`;
    await tables.$executeRaw`
      UPDATE retention_run SET state = 'cancelled', finished_at = now(), lease_expires_at = NULL WHERE finished_at IS NULL`;
  });

  const missed = () => ({ tag, digest: named(names.kept) });
  const event = (source: string, name?: string) =>
    seedTag(scene.database, {
      registryId: scene.registryId,
      repository,
      tag,
      at: new Date(),
      source,
      ...(name === undefined ? {} : { name }),
    });
  const tell = (told: Pick<Told, 'what' | 'tag' | 'digest'>) => {
    const place = { registryId: scene.registryId, location: 'eu', instances: [], heartbeats: [], isIncomplete: false } as const;
    const all = [{ ...told, eventId: uuidV7.next(), repository }];
    return new NotificationIntake(scene.database).take([{ ...place, told: all }]);
  };
  const purge = async (name: string, isSettled: boolean) => {
    const { records: purging, lease, leases } = await beginPurge(scene.retention, { repository, digest: named(name) });
    await purging.intend(named(name), [named(name)]);
    if (!isSettled) return;
    await purging.settle(named(name));
    await leases.finish(lease);
  };
  const untagged = async (name: string) => {
    const other = await scene.acting([{ repository, untag: { v1: name } }]);
    await other.journal.enter(repository, 'marking');
    await other.journal.enter(repository, 'grace');
    await other.journal.enter(repository, 'deleting');
    return other.journal.of(repository).begin({ digest: named(name), tag });
  };

  it.each<[string, () => Promise<unknown>, 'known' | 'possible' | undefined]>([
    ['nobody has said anything', () => Promise.resolve(), undefined],
    ['a crawl misses it', () => event('crawl'), undefined],
    ['an effect of somebody else took it', () => event('effect'), 'known'],
    ['the registry told of its removal', () => event('notification'), 'known'],
    ['it was written again after it was removed', () => event('notification').then(() => event('crawl', names.kept)), undefined],
    ['nobody has asked yet about a removal that was told', () => tell({ what: 'deleted', tag }), 'known'],
    ['its manifest was told to be removed', () => tell({ what: 'deleted', digest: named(names.kept) }), 'known'],
    [
      'it was told to be written last',
      () => tell({ what: 'deleted', tag }).then(() => tell({ what: 'pushed', tag, digest: named(names.kept) })),
      undefined,
    ],
    ['another run takes it off', () => untagged(names.kept), 'known'],
    ['a purge of what it named is under way', () => purge(names.kept, false), 'known'],
    ['a purge of what it named is over', () => purge(names.kept, true), 'known'],
    ['a purge of something else is under way', () => purge(names.other, false), 'possible'],
    ['a purge of something else is over', () => purge(names.other, true), 'possible'],
  ])('where %s', async (_what, happen, taken) => {
    await happen();

    expect(await records.takenAway(missed())).toBe(taken);
  });

  it('is not taken by a purge that was over before', async () => {
    await purge(names.other, true);
    await scene.database.tables.$executeRaw`UPDATE retention_run_repository SET deleting_at = now() WHERE repository = ${repository}`;

    expect(await records.takenAway(missed())).toBeUndefined();
  });
});

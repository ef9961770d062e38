import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { verifyChain } from '@waybill/provenance';
import { image, manifestNamed, Scene } from '../scene.spec-helper.js';
import { ProvenanceChain } from './provenance-chain.js';

describe('ProvenanceChain', () => {
  let scene: Scene;
  let chain: ProvenanceChain;

  beforeEach(async () => {
    scene = await Scene.start();
    chain = new ProvenanceChain(scene.database);
  });

  afterEach(() => scene.close());

  /** Appends that many records at once. */
  async function append(promotionId: string, count: number): Promise<void> {
    await scene.database.tables.$executeRaw`
      INSERT INTO provenance_record (kind, promotion_id, subject, body)
      SELECT 'decision', ${promotionId}::uuid, decode(repeat('ab', 32), 'hex'), jsonb_build_object('decision', 'test', 'n', n)
      FROM generate_series(1, ${count}) AS n`;
  }

  async function verified() {
    const links = await chain.links({ after: 0n, limit: 10_000 });
    expect(links.map(({ link }) => link?.sequence)).toEqual(links.map((_, index) => BigInt(index + 1)));
    return verifyChain(links.flatMap(({ record, link }) => (link === undefined ? [] : [{ record, link }])));
  }

  it('links what was appended, in batches, until nothing is left', async () => {
    const id = await scene.request();
    await append(id, 700);

    expect([await chain.linkPending(), await chain.linkPending(), await chain.linkPending()]).toEqual([500, 201, 0]);
    expect(await verified()).toEqual({ intact: true, links: 701 });
  });

  it('has no gap and no fork, however many sequencers and writers are at work', async () => {
    const id = await scene.request();
    const link = async (): Promise<void> => {
      for (let round = 0; round < 20; round += 1) await chain.linkPending();
    };
    const write = async (): Promise<void> => {
      for (let round = 0; round < 20; round += 1) await append(id, 3);
    };

    await Promise.all([link(), write(), link(), write(), link()]);
    while ((await chain.linkPending()) > 0);

    expect(await verified()).toEqual({ intact: true, links: 121 });
  });

  it('leaves a record for later that was appended earlier and committed late', async () => {
    const id = await scene.request();
    await scene.database.transaction(async (tables) => {
      await tables.$executeRaw`
        INSERT INTO provenance_record (kind, promotion_id, subject, body) VALUES ('decision', ${id}::uuid, decode(repeat('ab', 32), 'hex'), '{"n": "late"}')`;
      await append(id, 2);
      while ((await chain.linkPending()) > 0);
    });
    while ((await chain.linkPending()) > 0);

    const links = await chain.links({ after: 0n, limit: 10 });
    expect(links.at(-1)?.record.body).toEqual({ n: 'late' });
    expect(await verified()).toEqual({ intact: true, links: 4 });
  });

  it('shows the records about a digest, linked or not, page by page', async () => {
    const id = await scene.request();
    while ((await chain.linkPending()) > 0);
    await scene.request();

    const [first, ...others] = await chain.about(image.digest, { after: 0n, limit: 1 });
    expect(others).toEqual([]);
    expect(first).toMatchObject({ record: { promotionId: id, subject: image.digest, kind: 'decision' }, link: { sequence: 1n } });
    const [second] = await chain.about(image.digest, { after: first?.record.id ?? 0n, limit: 5 });
    expect(second).toMatchObject({ record: { subject: image.digest }, link: undefined });
    expect(await chain.about(manifestNamed('unknown').digest, { after: 0n, limit: 5 })).toEqual([]);
  });

  it.each(['provenance_record', 'provenance_chain'])('keeps %s from being changed, by anyone', async (table) => {
    await scene.request();
    await chain.linkPending();
    const statements = [
      `UPDATE ${table} SET ${table === 'provenance_record' ? `body = '{}'` : `hash = '\\x00'`}`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table} CASCADE`,
    ];

    for (const statement of statements) {
      await expect(scene.database.tables.$executeRawUnsafe(statement)).rejects.toThrow(`table ${table} is append-only`);
    }
    expect(await verified()).toEqual({ intact: true, links: 1 });
  });

  it('is seen to be broken when somebody changed a record all the same', async () => {
    await scene.request();
    await chain.linkPending();
    await scene.database.tables.$executeRaw`ALTER TABLE provenance_record DISABLE TRIGGER provenance_record_append_only`;
    await scene.database.tables.$executeRaw`UPDATE provenance_record SET body = body || '{"path": "other"}'`;

    expect(await verified()).toMatchObject({ intact: false });
  });
});

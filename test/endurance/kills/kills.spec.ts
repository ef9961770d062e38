import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describeWith } from '@waybill/testing';
import { differenceOf } from './difference.js';
import { sampleOf, seeded } from '../seeded.js';
import type { KillCase, KillVerdict, Undisturbed } from './kill-case.js';
import { casesOfScene, titleOf } from './matrix.js';
import { Theatre } from './theatre.js';
import { type QueueKind, queueKinds } from './world.js';

jest.setTimeout(300_000);

const seed = Number(process.env['KILLS_SEED'] ?? 4);
const sampleSize = 3;
const lanes = 4;

/** `npm run test:kills` plays them all; here are some, so that nobody breaks them unawares. */
describeWith(['docker-registry', 'redis-server'], 'a worker that is killed at a durable step', () => {
  let theatre: Theatre;
  const baselines = new Map<QueueKind, Promise<Undisturbed>>();

  beforeAll(async () => {
    theatre = await Theatre.open(lanes);
    for (const queue of queueKinds) baselines.set(queue, theatre.undisturbed('smooth', queue));
    await Promise.all(baselines.values());
  });
  afterAll(() => theatre.close());

  describe.each(queueKinds)('with the queue on %s', (queue) => {
    const verdicts = new Map<string, KillVerdict>();

    beforeAll(async () => {
      const baseline = (await baselines.get(queue))!;
      const sample = sampleOf(casesOfScene('smooth', baseline.reached, queue), sampleSize, seeded(seed));
      const play = async (kill: KillCase) => void verdicts.set(titleOf(kill), await theatre.kill(kill, baseline, queue));
      await Promise.all(sample.map(play));
    });

    it('leaves what an undisturbed one leaves', () => {
      expect([...verdicts].filter(([, { problems }]) => problems.length > 0)).toEqual([]);
      expect(verdicts.size).toBe(sampleSize);
    });
  });

  it('would be told of when anything were missing', async () => {
    const baseline = (await baselines.get('postgres'))!;

    const lacking = await theatre.undisturbed('smooth', 'postgres', ['journal.intendManifest', 'journal.recordSourceMove']);

    const differences = differenceOf(baseline.lines, lacking.lines);
    expect(differences).toContainEqual(expect.stringMatching(/^missing: effect: manifest prod team\/app .* settled written .* records 1$/));
    expect(differences).toContainEqual(expect.stringMatching(/^missing: provenance_record: decision .*source-tag-moved/));
    expect(differences).toContainEqual(expect.stringMatching(/^missing: promotion_item: 1 .* moved to sha256:/));
  });
});

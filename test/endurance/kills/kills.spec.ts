import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describeWith } from '@waybill/testing';
import { differenceOf } from './difference.js';
import { sampleOf, seeded } from '../seeded.js';
import type { KillCase, KillVerdict } from './kill-case.js';
import { type Baselines, casesOf, titleOf } from './matrix.js';
import { type SceneName, sceneNames } from './scenes.js';
import { Theatre } from './theatre.js';
import { type QueueKind, queueKinds } from './world.js';

jest.setTimeout(600_000);

const seed = Number(process.env['KILLS_SEED'] ?? 2);
const lanes = 4;
/** What is played on each queue: the plain scene, and one of the others. */
const [plain, ...others] = sceneNames as readonly [SceneName, ...SceneName[]];
const sampled = sampleOf(others, queueKinds.length, seeded(seed));

/** One case of each scene; of the other one, one that the plain scene does not come to. */
function sampleOfCases(baselines: Baselines, queue: QueueKind): KillCase[] {
  const cases = casesOf(baselines, queue);
  const ofScene = (name: SceneName) => cases.filter(({ scene }) => scene === name);
  return [...baselines.keys()].flatMap((name) => sampleOf(ofScene(name), 1, seeded(seed)));
}

/** `npm run test:kills` plays them all; here are some, so that nobody breaks them unawares. */
describeWith(['docker-registry', 'redis-server'], 'a worker that is killed at a durable step', () => {
  let theatre: Theatre;
  const baselines = new Map<QueueKind, Baselines>();

  beforeAll(async () => {
    theatre = await Theatre.open(lanes);
    const play = async (queue: QueueKind, scene: SceneName) => [scene, await theatre.undisturbed(scene, queue)] as const;
    const playAll = async (queue: QueueKind, index: number) =>
      void baselines.set(queue, new Map(await Promise.all([plain, ...sampled.slice(index, index + 1)].map((scene) => play(queue, scene)))));
    await Promise.all(queueKinds.map(playAll));
  });
  afterAll(() => theatre.close());

  describe.each(queueKinds)('with the queue on %s', (queue) => {
    const verdicts = new Map<string, KillVerdict>();

    beforeAll(async () => {
      const played = baselines.get(queue)!;
      const play = async (kill: KillCase) => void verdicts.set(titleOf(kill), await theatre.kill(kill, played.get(kill.scene)!, queue));
      await Promise.all(sampleOfCases(played, queue).map(play));
    });

    it('leaves what an undisturbed one leaves', () => {
      expect([...verdicts].filter(([, { problems }]) => problems.length > 0)).toEqual([]);
      expect(verdicts.size).toBe(2);
    });

    it('leaves no upload open where nobody dies', () => {
      expect([...baselines.get(queue)!].filter(([, { uploads }]) => uploads.length > 0)).toEqual([]);
    });
  });

  it('would be told of when anything were missing', async () => {
    const baseline = baselines.get('postgres')!.get(plain)!;

    const lacking = await theatre.undisturbed(plain, 'postgres', ['journal.intendManifest', 'journal.recordSourceMove']);

    const differences = differenceOf(baseline.lines, lacking.lines);
    expect(differences).toContainEqual(expect.stringMatching(/^missing: effect: manifest prod team\/app .* settled written .* records 1$/));
    expect(differences).toContainEqual(expect.stringMatching(/^missing: provenance_record: decision .*source-tag-moved/));
    expect(differences).toContainEqual(expect.stringMatching(/^missing: promotion_item: 1 .* moved to sha256:/));
  });
});

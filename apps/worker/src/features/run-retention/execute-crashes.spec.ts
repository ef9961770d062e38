import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Digest } from '@waybill/oci-model';
import { ExecutionJournal, PersistenceError } from '@waybill/persistence';
import { buildCosignTag, buildImage, buildIndex, buildReferrer, describeWith, type FrontFault, pushArtifact } from '@waybill/testing';
import { gate } from '../../infrastructure/gate.spec-helper.js';
import { ExecutionScene, type JournalOf } from './execution-scene.spec-helper.js';

/** The worker ends in the middle of a step. */
class Death extends Error {}

/** Counts the steps that a worker takes with its journal, and lets it die before one of them, or after. */
class Steps {
  taken: string[] = [];
  deathAt: { readonly step: number; readonly when: 'before' | 'after' } | undefined;
  readonly #death: (step: string) => Error;

  constructor(death: (step: string) => Error = (step) => new Death(step)) {
    this.#death = death;
  }

  readonly journalOf =
    (scene: ExecutionScene): JournalOf =>
    (lease) =>
      this.#watched('journal', new ExecutionJournal(scene.database, lease));

  #watched<Watched extends object>(name: string, watched: Watched): Watched {
    return new Proxy(watched, {
      get: (target, property) => {
        const method: unknown = Reflect.get(target, property, target);
        if (typeof method !== 'function') return method;
        if (property === 'of') {
          return (...given: unknown[]) => this.#watched('records', Reflect.apply(method, target, given) as object);
        }
        return async (...given: unknown[]) => {
          const step = `${name}.${String(property)}`;
          this.taken.push(step);
          const number = this.taken.length;
          if (this.#dies(number, 'before')) throw this.#death(step);
          const answer: unknown = await Reflect.apply(method, target, given);
          if (this.#dies(number, 'after')) throw this.#death(step);
          return answer;
        };
      },
    });
  }

  #dies(step: number, when: 'before' | 'after'): boolean {
    return this.deathAt?.step === step && this.deathAt.when === when;
  }
}

/** Nobody knows whether what the step wrote was kept. */
const away = (step: string) =>
  new PersistenceError('the database went away', { code: 'database-unavailable', operation: step, retryable: true });

const root = buildIndex([buildImage({ seed: 1, layerBytes: 64 }), buildImage({ seed: 2, layerBytes: 64 })]);
const artifact = { root, referrers: [buildReferrer(root)], cosignTags: [buildCosignTag(root)] };

describeWith(['docker-registry'], 'a run that acts and whose worker ends', () => {
  let scene: ExecutionScene;
  let fault: (method: string) => FrontFault | undefined | Promise<FrontFault | undefined> = () => undefined;
  beforeAll(async () => {
    scene = await ExecutionScene.open({ faults: ({ method }) => fault(method) });
    await pushed();
    await scene.crawl();
    await scene.approve();
  });
  afterAll(() => scene.close());

  async function pushed(): Promise<void> {
    await pushArtifact(scene.repository(), artifact);
    await scene.pushBuilt(artifact.root, ['br-1']);
    await scene.push(9, ['1.0.0']);
  }

  async function planned(): Promise<string> {
    fault = () => undefined;
    await pushed();
    await scene.crawl();
    const id = await scene.request();
    await scene.worker().run();
    return id;
  }

  /** Everything that counts, whoever came to it. */
  async function endOf(id: string) {
    const { state, removals } = await scene.run(id);
    const open = await scene.database.tables.effect.count({ where: { retentionRunId: id, state: 'intended' } });
    return { state, removals, open, tags: await scene.tags(), marks: await scene.marks(id), provenance: await scene.provenanceOf(id) };
  }

  it('comes to the same end, whichever step it was at', async () => {
    const steps = new Steps();
    const whole = await planned();
    await scene.finish(whole, () => scene.worker({ journalOf: steps.journalOf(scene) }));
    const [expected, taken] = [await endOf(whole), steps.taken];
    expect(expected).toMatchObject({ state: 'succeeded', open: 0 });
    expect(new Set(Object.values(expected.marks))).toEqual(new Set(['deleted']));
    expect(expected.provenance).toEqual(Object.keys(expected.marks).sort());
    // Each kind of step; of those that are taken for every manifest the second, when something has happened already.
    const chosen = [...new Set(taken)].map((name) => {
      const first = taken.indexOf(name);
      const second = taken.indexOf(name, first + 1);
      return second < 0 ? first : second;
    });

    for (const at of chosen) {
      const when = taken[at] === 'records.begin' || taken[at] === 'records.settle' ? (['before', 'after'] as const) : (['after'] as const);
      for (const each of when) {
        const id = await planned();
        const dying = new Steps();
        dying.deathAt = { step: at + 1, when: each };
        while (dying.taken.length <= at) await scene.worker({ journalOf: dying.journalOf(scene) }).execute();
        await scene.expireLease(id);

        await scene.finish(id, () => scene.worker({ workerId: 'two' }));

        expect({ step: taken[at], each, end: await endOf(id) }).toEqual({ step: taken[at], each, end: expected });
      }
    }
  }, 600_000);

  it('comes to the same end when it ends between what it sent and what it was answered', async () => {
    const whole = await planned();
    await scene.finish(whole);
    const expected = await endOf(whole);
    const id = await planned();
    const dying = scene.worker();
    let deletions = 0;
    fault = (method) => {
      if (method !== 'DELETE') return undefined;
      deletions += 1;
      if (deletions === 3) dying.close();
      return undefined;
    };

    await scene.worker().execute();
    await dying.execute();
    expect((await scene.run(id)).finishedAt).toBeNull();
    await scene.finish(id, () => scene.worker({ workerId: 'two' }));

    expect(await endOf(id)).toEqual(expected);
    expect(scene.log.saying('the run of retention is handed over')).toHaveLength(1);
  });

  it('blames no repository for a database that goes away, and comes to the same end', async () => {
    const steps = new Steps();
    const whole = await planned();
    await scene.finish(whole, () => scene.worker({ journalOf: steps.journalOf(scene) }));
    const expected = await endOf(whole);

    for (const [step, when] of [
      ['records.begin', 'after'],
      ['records.settle', 'before'],
      ['records.settle', 'after'],
      ['journal.done', 'before'],
    ] as const) {
      const id = await planned();
      const breaking = new Steps(away);
      breaking.deathAt = { step: steps.taken.indexOf(step) + 1, when };
      while (breaking.taken.length < breaking.deathAt.step) await scene.worker({ journalOf: breaking.journalOf(scene) }).execute();
      await scene.expireLease(id);

      await scene.finish(id, () => scene.worker({ workerId: 'two' }));

      expect({ step, when, end: await endOf(id) }).toEqual({ step, when, end: expected });
    }
  }, 120_000);

  it('writes nothing any more once another worker has the run', async () => {
    const id = await planned();
    await scene.worker().execute();
    const begun = gate();
    const goOn = gate();
    fault = async (method) => {
      if (method !== 'DELETE') return undefined;
      begun.open();
      await goOn.passed;
      return undefined;
    };

    const late = scene.worker().execute();
    await begun.passed;
    fault = () => undefined;
    await scene.expireLease(id);
    const ended = await scene.finish(id, () => scene.worker({ workerId: 'two' }));
    const deleted: Record<Digest, string> = await scene.marks(id);
    goOn.open();
    await late;

    expect(ended.state).toBe('succeeded');
    expect(await scene.marks(id)).toEqual(deleted);
    expect(scene.log.saying('the run of retention was cancelled or taken over')).toHaveLength(1);
  });
});

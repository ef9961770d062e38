import { describe, expect, it } from '@jest/globals';
import { WaybillError } from '@waybill/kernel';
import type { Digest, Tag } from '@waybill/oci-model';
import { executeRepository } from './execute-repository.js';
import { markRepository } from './mark-repository.js';
import { Death, removeBranches, World } from './world.spec-helper.js';

const signal = new AbortController().signal;

/** Typed as the registry's trouble is, and nothing of the kind. */
class Stopped extends WaybillError<'stopped'> {}

const executed = (world: World, options: { readonly withTrash?: boolean } = {}) => executeRepository(world.ports(options), signal);

/** Gives what was restored. */
const execute = async (world: World, options: { readonly withTrash?: boolean } = {}) => (await executed(world, options)).restored;

/** Executes to the end that it comes to. */
const executing = (world: World) => execute(world).catch(() => undefined);

/** Two platforms and a signature of theirs, a nested index, an image that shares a child with what stays, and a tag to take off. */
function busy() {
  const world = new World();
  const amd = world.image('amd');
  const arm = world.image('arm');
  const shared = world.image('shared');
  const inner = world.index([amd, arm]);
  const branch = world.index([inner, shared], { tag: 'br-1' });
  const signature = world.image('signature', { subject: branch });
  const ofSignature = world.image('signature of the signature', { subject: signature });
  const release = world.index([shared], { tag: 'v1.0.0', note: 'release' });
  world.tag('tmp-1', release);
  const lone = world.image('lone', { tag: 'br-2' });
  const condemned = [branch, inner, amd, arm, signature, ofSignature, lone];
  return { world, amd, arm, shared, inner, branch, signature, ofSignature, release, lone, condemned };
}

async function marked(world: World): Promise<World> {
  world.plan();
  await markRepository(world.ports(), signal);
  world.calls = 0;
  return world;
}

async function undisturbed(options: { readonly withTrash?: boolean } = {}): Promise<World> {
  const { world } = busy();
  await marked(world);
  await execute(world, options);
  return world;
}

describe('executeRepository', () => {
  it('deletes what its plan condemned and nothing else, and takes tags off', async () => {
    const { world, release, shared, condemned } = busy();
    await marked(world);

    await execute(world);

    expect([...world.manifests.keys()].sort()).toEqual([release, shared].sort());
    expect([...world.tags.keys()]).toEqual(['v1.0.0']);
    expect([...world.deleted].sort()).toEqual([...condemned].sort());
    expect(world.effects.every(({ outcome }) => outcome?.outcome === 'gone')).toBe(true);
    expect(world.effects.find(({ digest }) => digest === condemned[0])?.outcome).toEqual({ outcome: 'gone', tagsGone: ['br-1'] });
  });

  it('deletes parents before children, and what refers to something after it', async () => {
    const { world, branch, inner, amd, arm, signature, ofSignature } = busy();
    await marked(world);

    await execute(world);

    const place = (digest: Digest): number => world.deleted.indexOf(digest);
    const pairs = [
      [branch, inner],
      [inner, amd],
      [inner, arm],
      [branch, signature],
      [signature, ofSignature],
    ] as const;
    for (const [first, then] of pairs) expect(place(first)).toBeLessThan(place(then));
  });

  it('deletes nothing that was not marked', async () => {
    const { world } = busy();
    world.plan();

    await execute(world);

    expect(world.deleted).toEqual([]);
  });

  it.each(['fresh.plan', 'registry.listTags'])('deletes nothing when %s meets trouble', async (call) => {
    const { world } = busy();
    await marked(world);
    world.meanwhile = (name, at) => {
      if (name === call) world.fault = { at, kind: 'trouble' };
    };

    await expect(execute(world)).rejects.toMatchObject({ code: 'unavailable' });

    expect(world.deleted).toEqual([]);
  });

  it('sends nothing more once the registry has refused a deletion', async () => {
    const { world } = busy();
    await marked(world);
    world.meanwhile = (name, at) => {
      if (name === 'registry.deleteManifest') world.fault = { at, kind: 'trouble' };
    };

    await expect(execute(world)).rejects.toMatchObject({ code: 'unavailable' });

    expect(world.deleted).toEqual([]);
    expect([...world.reasons.values()]).toMatchObject([{ code: 'unavailable' }]);
    expect(world.effects.filter(({ tag }) => tag === '')).toMatchObject([{ outcome: { outcome: 'there' } }]);
  });

  it('holds everything in the trash before the first deletion, children first', async () => {
    const { world, branch, condemned } = busy();
    await marked(world);

    await execute(world, { withTrash: true });

    expect([...world.trash.keys()].sort()).toEqual([...condemned].sort());
    expect(world.trash.get(branch)?.tags).toEqual(['br-1']);
  });

  it('leaves what the trash did not take, with all that is beneath it', async () => {
    const { world, inner, branch, lone } = busy();
    await marked(world);
    let keeps = 0;
    world.meanwhile = (name, at) => {
      if (name !== 'trash.keep') return;
      keeps += 1;
      if (world.trash.size === 4) world.fault ??= { at, kind: 'trouble' };
    };

    await execute(world, { withTrash: true });

    expect(keeps).toBeGreaterThan(4);
    expect(world.holes()).toEqual([]);
    const spared = [...world.marks].filter(([, state]) => state === 'spared').map(([digest]) => digest);
    expect(spared).not.toEqual([]);
    expect(world.manifests.has(lone)).toBe(spared.includes(lone));
    expect(world.manifests.has(branch)).toBe(spared.includes(branch) || spared.includes(inner));
  });

  it.each(['records.requireMayAct', 'trash.keep'])(
    'copies nothing more, and spares nothing for it, when the run is stopped at %s',
    async (call) => {
      const { world, condemned } = busy();
      await marked(world);
      world.meanwhile = (name) => {
        if (name !== call || world.trash.size < 2) return;
        throw new Stopped('somebody cancelled the run', { code: 'stopped', operation: 'spec' });
      };

      await expect(execute(world, { withTrash: true })).rejects.toBeInstanceOf(Stopped);

      expect(world.trash.size).toBe(2);
      expect(world.deleted).toEqual([]);
      expect([...world.marks.values()]).toEqual(condemned.map(() => 'marked'));
    },
  );

  it('copies to the archive first what is to be archived, with what belongs to it', async () => {
    const archive = {
      ...removeBranches,
      rules: [{ name: 'old', action: 'archive', to: 'archive', match: { tags: { glob: ['br-*'] } }, criteria: 'all' }],
    } as const;
    const world = new World([archive]);
    const child = world.image('child');
    const branch = world.index([child], { tag: 'br-1' });
    await marked(world);

    await execute(world);

    expect([...world.archived]).toEqual([
      [branch, ['archive']],
      [child, ['archive']],
    ]);
    expect([...world.manifests.keys()]).toEqual([]);
  });

  it('leaves what cannot be archived, and what is beneath it', async () => {
    const archive = {
      ...removeBranches,
      rules: [{ name: 'old', action: 'archive', to: 'archive', match: { tags: { glob: ['br-*'] } }, criteria: 'all' }],
    } as const;
    const world = new World([archive]);
    const child = world.image('child');
    const branch = world.index([child], { tag: 'br-1' });
    world.image('other', { tag: 'br-2' });
    await marked(world);
    world.meanwhile = (name, at) => {
      if (name === 'archive.hold') world.fault ??= { at, kind: 'trouble' };
    };

    await execute(world);

    expect(world.holes()).toEqual([]);
    expect([...world.marks.values()].sort()).toEqual(
      world.manifests.has(branch) ? ['deleted', 'spared', 'spared'] : ['deleted', 'deleted', 'spared'],
    );
  });
});

describe('executeRepository, when the world moves on between plan and deletion', () => {
  it.each<[string, (scene: ReturnType<typeof busy>) => void, (scene: ReturnType<typeof busy>) => readonly Digest[]]>([
    ['a new tag names it', ({ world, lone }) => world.tag('v9', lone), ({ lone }) => [lone]],
    ['a new tag that would go names it', ({ world, lone }) => world.tag('br-9', lone), ({ lone }) => [lone]],
    ['a tag moved onto it', ({ world, lone }) => world.tag('v1.0.0', lone), ({ lone }) => [lone]],
    ['a new index lists a child of it', ({ world, amd }) => world.index([amd], { tag: 'v2', note: 'new' }), ({ amd }) => [amd]],
    [
      'somebody holds it',
      ({ world, branch }) => (world.protections = { holds: [{ id: 'h', reason: '', kind: 'digest', digest: branch }] }),
      ({ branch, inner, amd, arm, signature, ofSignature }) => [branch, inner, amd, arm, signature, ofSignature],
    ],
    ['a promotion needs a child', ({ world, amd }) => world.promote(amd), ({ amd }) => [amd]],
    ['a promotion needs its signature', ({ world, signature }) => world.promote(signature), ({ signature }) => [signature]],
  ])('spares what %s', async (_what, happen, saved) => {
    const scene = busy();
    await marked(scene.world);
    happen(scene);

    await execute(scene.world);

    for (const digest of saved(scene)) expect(scene.world.manifests.has(digest)).toBe(true);
    expect(scene.world.holes()).toEqual([]);
  });

  it('leaves a tag that was to be taken off and names something else by now', async () => {
    const { world, shared } = busy();
    await marked(world);
    world.tag('tmp-1', shared);

    await execute(world);

    expect(world.tags.get('tmp-1' as Tag)).toBe(shared);
  });

  it('sees a tag that was written while it deletes', async () => {
    const { world, lone, inner } = busy();
    await marked(world);
    world.meanwhile = (name) => {
      if (name !== 'records.begin' || world.tags.has('later' as Tag)) return;
      world.index([inner, lone], { tag: 'later', note: 'late' });
    };

    const restored = await execute(world);

    expect(restored.length).toBeLessThanOrEqual(1);
    expect([lone, inner].every((digest) => world.manifests.has(digest))).toBe(true);
    expect(world.holes()).toEqual([]);
  });

  it('leaves what a tag was moved onto while everything was copied', async () => {
    const { world, lone } = busy();
    await marked(world);
    world.meanwhile = (name) => {
      if (name === 'trash.keep') world.tag('v1.0.0', lone);
    };

    await execute(world, { withTrash: true });

    expect(world.tags.get('v1.0.0' as Tag)).toBe(lone);
    expect(world.reasons.get(lone)).toMatchObject({ code: 'tag-kept' });
    expect(world.holes()).toEqual([]);
  });

  it('leaves what a new tag names that was written while everything was copied, also among thousands', async () => {
    const { world, lone, release } = busy();
    for (let number = 0; number < 2_500; number += 1) world.tag(`v2.0.${number}`, release);
    await marked(world);
    world.meanwhile = (name) => {
      if (name === 'trash.keep') world.tag('later', lone);
    };

    await execute(world, { withTrash: true });

    expect(world.tags.get('later' as Tag)).toBe(lone);
    expect(world.holes()).toEqual([]);
  });

  it('leaves what a tag was moved onto between two deletions, also among thousands', async () => {
    const world = new World();
    const release = world.image('release', { tag: 'v1' });
    for (let number = 0; number < 1_500; number += 1) world.tag(`v1.0.${number}`, release);
    for (let number = 0; number < 200; number += 1) world.image(`branch ${number}`, { tag: `br-${number}` });
    await marked(world);
    world.meanwhile = (name) => {
      const last = [...world.marks].findLast(([, state]) => state === 'marked')?.[0];
      if (name === 'registry.deleteManifest' && world.deleted.length === 10 && last !== undefined) world.tag('v1', last);
    };

    await execute(world);

    expect(world.deleted).toHaveLength(199);
    expect(world.manifests.has(world.tags.get('v1' as Tag) ?? release)).toBe(true);
    expect(world.tags.get('v1' as Tag)).not.toBe(release);
  });

  it('looks at ten tags before each deletion', async () => {
    const world = new World();
    const release = world.image('release', { tag: 'v1' });
    for (let number = 2; number <= 8; number += 1) world.tag(`v${number}`, release);
    const branches = ['br-1', 'br-2'].map((tag) => world.image(tag, { tag }));
    await marked(world);
    world.meanwhile = (name) => {
      const next = branches.find((digest) => digest !== world.effects.at(-1)?.digest);
      if (name === 'registry.deleteManifest' && world.deleted.length === 0 && next !== undefined) world.tag('v1', next);
    };

    await execute(world);

    expect(world.deleted).toHaveLength(1);
    expect(world.manifests.has(world.tags.get('v1' as Tag) ?? release)).toBe(true);
    expect(world.tags.get('v1' as Tag)).not.toBe(release);
  });

  it('brings back what a tag was moved onto in the very moment of its deletion, with the tag, where somebody told of it', async () => {
    const { world, lone } = busy();
    await marked(world);
    world.meanwhile = (name) => {
      if (name !== 'registry.deleteManifest' || world.effects.at(-1)?.digest !== lone) return;
      world.tag('v1.0.0', lone);
      world.noted.push({ tag: 'v1.0.0' as Tag, digest: lone, was: 'pushed' });
    };

    const restored = await execute(world);

    expect(restored).toEqual([lone]);
    expect(world.tags.get('v1.0.0' as Tag)).toBe(lone);
    expect(world.holes()).toEqual([]);
  });

  it('gives a tag back what it named where nobody told that it was moved onto the one that was deleted', async () => {
    const { world, lone, release } = busy();
    await marked(world);
    world.meanwhile = (name) => {
      if (name === 'registry.deleteManifest' && world.effects.at(-1)?.digest === lone) world.tag('v1.0.0', lone);
    };

    expect(await executed(world)).toEqual({ restored: [release], missing: [] });

    expect(world.tags.get('v1.0.0' as Tag)).toBe(release);
    expect(world.manifests.has(lone)).toBe(false);
  });

  it('leaves a tag away with what it named, which somebody deleted by its digest meanwhile, and says that it is missing', async () => {
    const { world, lone, release, condemned } = busy();
    await marked(world);
    world.meanwhile = (name) => {
      if (name === 'registry.deleteManifest' && world.effects.at(-1)?.digest === lone) world.remove(release);
    };

    expect(await executed(world)).toEqual({ restored: [], missing: ['v1.0.0'] });

    expect([...world.tags.keys()]).toEqual([]);
    expect([...world.deleted].sort()).toEqual([...condemned].sort());
  });

  it.each([
    ['is known to have taken', 'known', []],
    ['may have taken', 'possible', ['v1.0.0']],
  ] as const)('leaves a tag away that somebody %s while something was deleted', async (_who, taken, missing) => {
    const { world, lone, release } = busy();
    await marked(world);
    world.meanwhile = (name) => {
      if (name !== 'registry.deleteManifest' || world.effects.at(-1)?.digest !== lone) return;
      world.tags.delete('v1.0.0' as Tag);
      world.taken.set('v1.0.0' as Tag, taken);
    };

    expect(await executed(world)).toEqual({ restored: [], missing });

    expect(world.tags.has('v1.0.0' as Tag)).toBe(false);
    expect(world.manifests.has(release)).toBe(true);
  });

  it('gives a tag back what it named where nobody knows onto which deleted manifest it was moved', async () => {
    const world = new World();
    const release = world.image('release', { tag: 'v1' });
    for (let number = 0; number < 100; number += 1) world.tag(`v1.0.${number}`, release);
    const branches = Array.from({ length: 5 }, (_, number) => world.image(`branch ${number}`, { tag: `br-${number}` }));
    await marked(world);
    world.meanwhile = (name) => {
      const next = world.effects.at(-1)?.digest;
      if (name === 'registry.deleteManifest' && next !== undefined && world.deleted.length === 2) world.tag('v1', next);
    };

    const restored = await execute(world);

    expect(restored).toEqual([release]);
    expect(world.tags.get('v1' as Tag)).toBe(release);
    expect(world.deleted).toHaveLength(branches.length);
  });

  it('gives a tag back what it named where the worker died before it saw that the tag was lost', async () => {
    const { world, lone, release } = busy();
    await marked(world);
    world.meanwhile = (name, at) => {
      if (name !== 'registry.deleteManifest' || world.effects.at(-1)?.digest !== lone) return;
      world.tag('v1.0.0', lone);
      world.fault ??= { at, kind: 'death-after' };
    };
    await expect(execute(world)).rejects.toThrow(Death);
    world.fault = undefined;
    world.meanwhile = undefined;

    await execute(world);

    expect(world.tags.get('v1.0.0' as Tag)).toBe(release);
    expect(world.holes()).toEqual([]);
  });

  it('leaves a tag away that somebody removed before anything was deleted', async () => {
    const { world } = busy();
    await marked(world);
    world.meanwhile = (name) => {
      if (name === 'trash.keep') world.tags.delete('v1.0.0' as Tag);
    };

    expect(await execute(world, { withTrash: true })).toEqual([]);

    expect(world.tags.has('v1.0.0' as Tag)).toBe(false);
  });

  it('brings back what an index that was pushed in the very moment of the deletion lists', async () => {
    const { world, lone } = busy();
    await marked(world);
    let pushed: Digest | undefined;
    world.meanwhile = (name) => {
      const next = world.effects.at(-1)?.digest;
      if (name === 'registry.deleteManifest' && next === lone) pushed = world.index([lone], { tag: 'latest', note: 'in the window' });
    };

    const restored = await execute(world);

    expect(restored).toEqual([lone]);
    expect(world.manifests.has(lone)).toBe(true);
    expect(world.tags.get('latest' as Tag)).toBe(pushed);
    expect(world.holes()).toEqual([]);
  });

  it('brings back with it what refers to it: signatures by subject and by tag, and what is about those', async () => {
    const { world, branch, signature, ofSignature } = busy();
    const byTag = world.image('signature by tag', { tag: `${branch.replace(':', '-')}.sig` });
    await marked(world);
    world.meanwhile = (name) => {
      if (name !== 'registry.deleteManifest' || world.effects.at(-1)?.digest !== branch || world.tags.has('v2' as Tag)) return;
      world.index([branch], { tag: 'v2', note: 'in the window' });
    };

    const restored = await execute(world);

    expect(world.deleted).toEqual(expect.arrayContaining([branch, signature, ofSignature, byTag]));
    expect(restored).toEqual(expect.arrayContaining([branch, signature, ofSignature, byTag]));
    expect(world.tags.get(`${branch.replace(':', '-')}.sig` as Tag)).toBe(byTag);
    expect(world.holes()).toEqual([]);
  });

  it('brings it back also where the registry refuses the next deletion', async () => {
    const { world, lone } = busy();
    await marked(world);
    world.meanwhile = (name, at) => {
      if (name !== 'registry.deleteManifest') return;
      if (world.effects.at(-1)?.digest === lone) world.index([lone], { tag: 'latest', note: 'in the window' });
      if (!world.manifests.has(lone)) world.fault ??= { at, kind: 'trouble' };
    };

    await executing(world);

    expect(world.manifests.has(lone)).toBe(true);
    expect(world.holes()).toEqual([]);
  });

  it('brings back what was pushed again in the very moment of the deletion, as the registry has told', async () => {
    const { world, branch } = busy();
    await marked(world);
    world.meanwhile = (name) => {
      if (name !== 'registry.deleteManifest' || world.effects.at(-1)?.digest !== branch || world.noted.length > 0) return;
      world.tag('hotfix', branch);
      world.noted.push({ tag: 'hotfix' as Tag, digest: branch, was: 'pushed' });
    };

    await execute(world);

    expect(world.tags.get('hotfix' as Tag)).toBe(branch);
    expect(world.tags.has('br-1' as Tag)).toBe(false);
    expect(world.holes()).toEqual([]);
  });
});

describe('executeRepository, interrupted', () => {
  it.each(['death-before', 'death-after'] as const)('comes to the same end after %s any call', async (kind) => {
    for (const withTrash of [false, true]) {
      const whole = await undisturbed({ withTrash });
      for (let at = 1; at <= whole.calls; at += 1) {
        const { world } = busy();
        await marked(world);
        world.fault = { at, kind };
        await expect(execute(world, { withTrash })).rejects.toThrow(Death);
        world.fault = undefined;

        await execute(world, { withTrash });

        expect({ at, end: world.end() }).toEqual({ at, end: whole.end() });
      }
    }
  });

  it('comes to the same end when it dies again and again', async () => {
    const whole = await undisturbed();
    for (let step = 14; step < 24; step += 1) {
      const { world } = busy();
      await marked(world);
      for (let isOver = false; !isOver;) {
        world.fault = { at: world.calls + step, kind: 'death-after' };
        isOver = await execute(world).then(
          () => true,
          () => false,
        );
        if (world.calls > 2_000) throw new Error('it comes to no end');
      }

      expect(world.end()).toEqual(whole.end());
    }
  });

  it('leaves nothing half when a call meets trouble', async () => {
    const whole = await undisturbed({ withTrash: true });
    for (let at = 1; at <= whole.calls; at += 1) {
      const { world } = busy();
      await marked(world);
      world.fault = { at, kind: 'trouble' };

      await execute(world, { withTrash: true }).catch(() => undefined);

      expect({ at, holes: world.holes() }).toEqual({ at, holes: [] });
    }
  });
});

import { trashRepositoryOf } from '@waybill/oci-model';
import type { SourceProcess } from '../source-process.js';
import { app, late, platform } from './declared.js';
import { quiet, type Scene } from './scene.js';
import type { Stage } from './stage.js';
import { drain, holdFor, refuse, whileHeld } from './trouble.js';

const trash = trashRepositoryOf(app.repository);
/** More than one call repeats by itself. */
const troubles = 8;

export const scenes = {
  /** Plans, marks, archives, holds in the trash, untags, deletes, and leaves what somebody tagged meanwhile. */
  whole: { ...quiet, title: 'deletes what it condemned' },

  /** What went comes back, and leaves the trash. */
  restored: {
    ...quiet,
    title: 'is taken back',
    disturb: async (stage: Stage) => {
      await stage.untilRunOver();
      await stage.restore();
    },
  },

  /** What went, and something that is there, must not stay even in the trash. */
  purged: {
    ...quiet,
    title: 'is followed by a purge',
    disturb: async (stage: Stage) => {
      await stage.untilRunOver();
      await stage.purge(app.index.manifest.digest);
      await stage.purge(app.kept.manifest.digest);
    },
  },

  /** Somebody pushes an index that lists a platform, in the moment in which that goes. */
  pushed: {
    ...quiet,
    title: 'meets a push',
    disturb: (stage: Stage) => {
      const matches = stage.isAsked('DELETE', app.repository, platform.digest);
      return whileHeld(stage, { matches }, () => stage.push(app.repository, late, ['late']));
    },
  },

  /** CI deletes nothing of the app. */
  refused: {
    ...quiet,
    title: 'is refused deletions',
    prepare: (stage: Stage) => {
      stage.ciProxy.always(stage.isAsked('DELETE', app.repository), { kind: 'refuse', status: 405 });
      return Promise.resolve();
    },
  },

  /** The rest is to stay. */
  cancelled: {
    ...quiet,
    title: 'is cancelled',
    disturb: (stage: Stage) => {
      const matches = stage.isAsked('DELETE', app.repository, app.index.manifest.digest);
      return whileHeld(stage, { matches }, () => stage.cancel());
    },
  },

  /** The name means another registry before anything was planned. */
  replaced: {
    ...quiet,
    title: 'loses its registry',
    prepare: async (stage: Stage) => {
      await stage.takeTick();
      await stage.replaceCi();
    },
  },

  /** A repository was listed and is in no inventory any more. */
  forgotten: {
    ...quiet,
    title: 'finds a repository forgotten',
    prepare: async (stage: Stage) => {
      const runId = await stage.takeTick();
      await stage.database.tables.retentionRunRepository.create({ data: { runId, repository: 'team/forgotten', state: 'pending' } });
    },
  },

  /** The first worker is told to end while it reads the app again. */
  drained: {
    ...quiet,
    title: 'is handed over',
    disturb: (stage: Stage, worker: SourceProcess) => {
      const isListing = stage.isAsked('GET', app.repository);
      return drain(stage, worker, (request) => isListing(request) && request.url.includes('/tags/list'));
    },
  },

  /** A deletion, what comes back, and what leaves the trash take longer than a renewal of a lease. */
  slow: {
    ...quiet,
    title: 'is slow',
    disturb: async (stage: Stage) => {
      const ms = stage.leaseMs / 2;
      await holdFor(stage, stage.isAsked('DELETE', app.repository), ms);
      await stage.untilRunOver();
      const areSlow = [holdFor(stage, stage.isAsked('PUT', app.repository), ms), holdFor(stage, stage.isAsked('DELETE', trash), ms)];
      await stage.restore();
      await Promise.all(areSlow);
    },
  },

  /** What is asked of the trash meets trouble that passes, and a purge what has to stay. */
  troubled: {
    ...quiet,
    title: 'meets trouble at the trash',
    disturb: async (stage: Stage) => {
      await stage.untilRunOver();
      refuse(stage, stage.isAsked('PUT', app.repository), troubles);
      refuse(stage, stage.isAsked('DELETE', trash), troubles);
      await stage.restore();
      await stage.purge(app.keptPlatform);
    },
  },
} as const satisfies Readonly<Record<string, Scene>>;

export type SceneName = keyof typeof scenes;
export const sceneNames = Object.keys(scenes) as readonly SceneName[];

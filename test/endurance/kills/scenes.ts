import { setTimeout as delay } from 'node:timers/promises';
import type { ProxiedRequest } from '../../e2e/fault-proxy.js';
import type { SourceProcess } from '../source-process.js';
import { cancelled } from './cancelled-scene.js';
import { forgotten, replaced } from './forgotten-scene.js';
import { quiet, type Scene } from './scene.js';
import type { Stage } from './stage.js';

const isRead = ({ method }: ProxiedRequest): boolean => method === 'GET' || method === 'HEAD';
/** Of the first layer that is copied. */
const isBlobRead = (request: ProxiedRequest): boolean => request.method === 'GET' && request.url.includes('/blobs/');

export const scenes = {
  /** Everything goes well, but that the source's tag is moved meanwhile. */
  smooth: { ...quiet, title: 'goes well', prepare: (stage: Stage) => stage.moveSourceTag() },

  /** Prod does not tell for a while what a tag names. */
  troubled: {
    ...quiet,
    title: 'meets a target in passing trouble',
    // Reads of several tags share the trouble, and whoever is tried again tells of bytes again.
    variesIn: ['attempts', 'bytes'],
    prepare: async (stage: Stage) => {
      const isTagRead = (request: ProxiedRequest) => isRead(request) && stage.isOfCase(request) && request.url.endsWith('/manifests/1.0.0');
      // More than one call repeats by itself.
      for (let times = 0; times < 6; times += 1) void stage.prodProxy.once(isTagRead, { kind: 'refuse', status: 503 });
    },
  },

  /** Prod takes no manifest. */
  refused: {
    ...quiet,
    title: 'meets a target that refuses',
    prepare: (stage: Stage) => {
      const isManifest = (request: ProxiedRequest) =>
        request.method === 'PUT' && request.url.includes('/manifests/') && stage.isOfCase(request);
      stage.prodProxy.always(isManifest, { kind: 'refuse', status: 403 });
      return Promise.resolve();
    },
  },

  /** The path is removed before anything began. */
  withdrawn: { ...quiet, title: 'loses its path', prepare: (stage: Stage) => stage.removePath() },

  /** A layer takes longer than a renewal of the lease. */
  slow: {
    ...quiet,
    title: 'is slow',
    prepare: (stage: Stage) => {
      void stage.ciProxy.once((request) => isBlobRead(request) && stage.isOfCase(request), {
        kind: 'hold',
        until: delay(stage.leaseMs / 2),
      });
      return Promise.resolve();
    },
  },

  /** The first worker is told to end in the middle of a copy. */
  drained: {
    ...quiet,
    title: 'is handed over',
    // Staging may have told of its bytes by then, and tells of them again.
    variesIn: ['bytes'],
    disturb: async (stage: Stage, worker: SourceProcess) => {
      const end = new AbortController();
      const until = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
      const isHeld = stage.ciProxy.once((request) => isBlobRead(request) && stage.isOfCase(request), { kind: 'hold', until });
      await Promise.race([isHeld, worker.ended]);
      worker.signal('SIGTERM');
      await worker.ended;
      end.abort();
    },
  },

  /** Everything is paused in the middle of a copy, and goes on as soon as that was noticed. */
  paused: {
    ...quiet,
    title: 'is paused',
    // As above.
    variesIn: ['bytes'],
    disturb: async (stage: Stage) => {
      const end = new AbortController();
      const until = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
      const isHeld = (request: ProxiedRequest) => isBlobRead(request) && stage.isOfCase(request);
      const first = stage.ciProxy.once(isHeld, { kind: 'hold', until });
      stage.ciProxy.always(isHeld, { kind: 'hold', until });
      await first;
      const pause = await stage.pause();
      end.abort();
      await stage.untilHeld();
      await stage.resume(pause);
    },
  },

  cancelled,
  forgotten,
  replaced,
} as const satisfies Readonly<Record<string, Scene>>;

export type SceneName = keyof typeof scenes;
export const sceneNames = Object.keys(scenes) as readonly SceneName[];

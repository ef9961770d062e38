import { RegistryClient } from '@waybill/oci-registry';
import { type RunningRedis, type RunningRegistry, startDockerRegistry, startRedis } from '@waybill/testing';
import { Stack } from '../../../apps/cli/src/up/stack.js';
import { type FaultProxy, startFaultProxy } from '../../e2e/fault-proxy.js';
import { startSurvivors, type Survivors } from './survivors.js';

export const queueKinds = ['redis', 'postgres'] as const;
export type QueueKind = (typeof queueKinds)[number];

/** The registries of all cases; each case has a folder of its own in them. */
export interface SharedRegistries {
  /** Of CI and staging. */
  readonly ci: RunningRegistry;
  readonly prod: RunningRegistry;
  readonly replica: RunningRegistry;
  clientOf(registry: RunningRegistry): RegistryClient;
  stop(): Promise<void>;
}

export async function startSharedRegistries(): Promise<SharedRegistries> {
  const stack = new Stack();
  const clients = new Map<RunningRegistry, RegistryClient>();
  const start = async (): Promise<RunningRegistry> => {
    const registry = await startDockerRegistry();
    stack.push(() => registry.stop());
    const client = new RegistryClient({ origin: registry.url });
    stack.push(async () => client.close());
    clients.set(registry, client);
    return registry;
  };
  try {
    const [ci, prod, replica] = [await start(), await start(), await start()];
    const clientOf = (registry: RunningRegistry): RegistryClient => {
      const client = clients.get(registry);
      if (client === undefined) throw new Error('this is no registry of ours');
      return client;
    };
    return { ci, prod, replica, clientOf, stop: () => stack.unwind() };
  } catch (error) {
    await stack.unwind();
    throw error;
  }
}

/** What one case at a time uses: a Redis, since cases name their queues alike, and proxies at which things go wrong. */
export interface Lane {
  readonly redis: RunningRedis;
  readonly ciProxy: FaultProxy;
  readonly prodProxy: FaultProxy;
  readonly replicaProxy: FaultProxy;
  readonly survivors: Survivors;
  stop(): Promise<void>;
}

export async function startLane({ ci, prod, replica }: SharedRegistries): Promise<Lane> {
  const stack = new Stack();
  const proxyOf = async ({ url }: RunningRegistry): Promise<FaultProxy> => {
    const proxy = await startFaultProxy(url);
    stack.push(() => proxy.stop());
    return proxy;
  };
  try {
    const redis = await startRedis();
    stack.push(() => redis.stop());
    const [ciProxy, prodProxy, replicaProxy] = [await proxyOf(ci), await proxyOf(prod), await proxyOf(replica)];
    const survivors = startSurvivors();
    stack.push(() => survivors.stop());
    return { redis, ciProxy, prodProxy, replicaProxy, survivors, stop: () => stack.unwind() };
  } catch (error) {
    await stack.unwind();
    throw error;
  }
}

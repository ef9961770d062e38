import type { Metrics } from '@waybill/observability';
import type { ItemRun, RunWatch } from '@waybill/promotion';
import { registryNamed, type Topology } from '@waybill/topology';

/** Seconds: from an image that is there already to a large one on a slow link. */
const buckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600];

/** Measures the steps of runs, the bytes between locations, and what has to be tried again; each run by its topology. */
export function runMetrics(metrics: Metrics): (topology: Topology) => RunWatch {
  const seconds = metrics.histogram({
    name: 'step_seconds',
    help: 'Time of a step at a target, from the end of the step before; that of copy begins with the attempt.',
    labels: ['registry', 'step'],
    buckets,
  });
  const bytes = metrics.counter({
    name: 'target_bytes_total',
    help: 'Bytes of content brought to a registry, by how: copied, mounted, or skipped since they were there.',
    labels: ['registry', 'how'],
  });
  const link = metrics.counter({
    name: 'link_bytes_total',
    help: 'Bytes copied from one location to another; to several targets at a location they are read once.',
    labels: ['from', 'to'],
  });
  const retries = metrics.counter({
    name: 'retries_total',
    help: 'Attempts at a registry that are to be made again, by the code of the error that ended them.',
    labels: ['registry', 'cause'],
  });
  return (topology) => {
    const read = new WeakMap<ItemRun, number>();
    // Of upstreams nobody need say where they are.
    const locationOf = (name: string): string => registryNamed(topology, name).location ?? 'elsewhere';
    return {
      stepEnded: ({ registry }, step, ms) => seconds.observe({ registry, step }, ms / 1000),
      postponed: ({ registry }, { code }) => retries.add({ registry, cause: code }),
      contentCame: (item, { registry }, { bytesCopied, bytesMounted, bytesSkipped }) => {
        bytes.add({ registry, how: 'copied' }, bytesCopied);
        bytes.add({ registry, how: 'mounted' }, bytesMounted);
        bytes.add({ registry, how: 'skipped' }, bytesSkipped);
        const before = read.get(item) ?? 0;
        if (bytesCopied <= before) return;
        read.set(item, bytesCopied);
        link.add({ from: locationOf(item.source.registry), to: locationOf(registry) }, bytesCopied - before);
      },
    };
  };
}

import { copyGraph } from '@waybill/oci-copy';
import { ContentError } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import { repositoryAtOrigin, type Topology } from '@waybill/topology';
import type { ProgressTask } from '../output/progress.js';
import type { DemonstrationPlan } from './demonstration-image.js';

export interface PushOptions {
  readonly topology: Topology;
  /** Where the local registry listens. */
  readonly address: string | undefined;
  readonly progress: ProgressTask;
  readonly signal: AbortSignal;
}

/**
 * Pushes the plan's content to its source registry. Only a local registry is pushed to: it is open;
 * elsewhere pushing is the business of whoever builds images.
 */
export async function pushImage(plan: DemonstrationPlan, { topology, address, progress, signal }: PushOptions): Promise<void> {
  if (plan.content === undefined) return;
  const registry = topology.registries[plan.reference.registry];
  if (registry === undefined || address === undefined) {
    throw new ContentError(
      `${plan.reference.registry} is not run by this command, so nothing is pushed there: push an image yourself and name it with --image ${plan.reference.registry}/REPOSITORY:TAG`,
      { code: 'unsupported', operation: 'push image' },
    );
  }
  const client = new RegistryClient({ origin: address });
  try {
    let done = 0;
    let total = 0;
    const report = await copyGraph(
      plan.content.store,
      plan.content.digest,
      [
        {
          id: registry.name,
          store: client.repository(repositoryAtOrigin(registry, plan.reference.repository)),
          tags: [plan.reference.tag],
        },
      ],
      {
        signal,
        hooks: {
          onBytes: ({ bytes }) => {
            done += bytes;
            total = Math.max(total, done);
            progress.update(done, total);
          },
        },
      },
    );
    const target = report.targets.get(registry.name);
    if (target !== undefined && 'error' in target) throw target.error;
    progress.done(target?.outcome ?? 'done');
  } finally {
    client.close();
  }
}

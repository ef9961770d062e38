import { copyGraph } from '@waybill/oci-copy';
import { RegistryClient } from '@waybill/oci-registry';
import { registryNamed, repositoryAtOrigin, type Topology } from '@waybill/topology';
import type { ProgressTask } from '../output/progress.js';
import type { DemonstrationPlan } from './demonstration-image.js';

export interface PushOptions {
  readonly topology: Topology;
  /** Where the local registry listens. */
  readonly address: string;
  readonly progress: ProgressTask;
  readonly signal: AbortSignal;
}

/** Pushes the plan's content to its source registry. */
export async function pushImage(
  { content, reference }: DemonstrationPlan & Required<Pick<DemonstrationPlan, 'content'>>,
  { topology, address, progress, signal }: PushOptions,
): Promise<void> {
  const client = new RegistryClient({ origin: address });
  const repository = repositoryAtOrigin(registryNamed(topology, reference.registry), reference.repository);
  const target = { id: reference.registry, store: client.repository(repository), tags: [reference.tag] };
  let sent = 0;
  try {
    const report = await copyGraph(content.store, content.digest, [target], {
      signal,
      hooks: {
        onBytes: ({ bytes }) => {
          sent += bytes;
          progress.update(sent);
        },
      },
    });
    const result = report.targets.get(target.id);
    if (result !== undefined && 'error' in result) throw result.error;
    progress.done(result?.outcome ?? 'done');
  } finally {
    client.close();
  }
}

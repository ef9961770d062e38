import type { Registry } from '@waybill/topology';

/** Services that give the space of what was deleted back by themselves, by the end of their host names. */
const byThemselves: readonly (readonly [hostEnd: RegExp, name: string])[] = [
  [/(\.amazonaws\.com(\.cn)?|\.ecr\.aws)$/, 'ECR'],
  [/(-docker\.pkg\.dev|(^|\.)gcr\.io)$/, 'Artifact Registry'],
  [/\.azurecr\.(io|cn|us)$/, 'ACR (see "az acr show-usage --name NAME")'],
  [/(^|\.)quay\.io$/, 'Quay, once its time machine has expired,'],
  [/(^|\.)ghcr\.io$/, 'GitHub'],
  [/(^|\.)docker\.io$/, 'Docker Hub'],
  [/(^|\.)registry\.gitlab\.com$/, 'GitLab'],
];

const selfHosted = [
  'Distribution: set storage.maintenance.readonly.enabled and restart it, run "registry garbage-collect CONFIG", never with --delete-untagged, take the setting back and restart it again',
  'Harbor: Administration > Clean Up, or POST /api/v2.0/system/gc/schedule with {"schedule":{"type":"Manual"},"parameters":{"delete_untagged":false}}',
  'GitLab: gitlab-ctl registry-garbage-collect, without -m; with the metadata database it runs online by itself',
  'Quay: by itself once its time machine has expired',
  'zot: by itself, with "gc": true and "gcInterval" in its storage configuration',
];

/** How a registry that Waybill does not run gives space back: its own way, pauses of Waybill's around it where that is offline. */
export function collectionAdvice({ name, url }: Pick<Registry, 'name' | 'url'>): string {
  const host = /^https?:\/\/([^/:]+)/.exec(url ?? '')?.[1] ?? '';
  const service = byThemselves.find(([hostEnd]) => hostEnd.test(host))?.[1];
  if (service !== undefined) return `${service} gives the space of what was deleted back by itself: there is nothing to run`;
  const pause = `waybill pause --registry ${name} --reason "collection"`;
  return [`hold copies back first (${pause}), then, by what serves it:`, ...selfHosted].join('\n');
}

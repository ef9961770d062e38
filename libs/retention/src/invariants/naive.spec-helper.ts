import { referrersTagOf } from '@waybill/oci-model';
import type { Digest } from '@waybill/oci-model';
import { planOf } from '../scene.spec-helper.js';
import type { RepositoryPlan } from '../repository-plan.js';
import type { RepositorySnapshot } from '../snapshot.js';
import type { Situation } from './random-repository.spec-helper.js';

/** What a plan makes of a situation, with the parts that a property changes. */
export function plan(situation: Situation, changed: Partial<Situation> = {}): RepositoryPlan {
  const { policies, snapshot, protections } = { ...situation, ...changed };
  return planOf(policies, snapshot, protections);
}

export function keptBy({ manifests }: RepositoryPlan): ReadonlySet<string> {
  return new Set(manifests.filter(({ action }) => action === 'keep').map(({ digest }) => digest));
}

export function removedBy({ manifests }: RepositoryPlan): ReadonlySet<string> {
  return new Set(manifests.filter(({ action }) => action !== 'keep').map(({ digest }) => digest));
}

/** What becomes of everything, without the reasons. */
export function actionsOf({ manifests, tags }: RepositoryPlan): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ...manifests.map(({ digest, action }) => [digest, action] as const),
    ...tags.map(({ tag, action }) => [`tag ${tag}`, action] as const),
  ]);
}

/** Who leads to whom, looked for again in the snapshot, the slow way and without the planner's graph. */
export interface Link {
  readonly from: string;
  readonly to: string;
}

/** From an index to what it lists; both are in the repository. */
export function childLinks({ manifests }: RepositorySnapshot): readonly Link[] {
  const present = new Set(manifests.map(({ digest }) => digest));
  return manifests.flatMap(({ digest, children }) =>
    children.filter((child) => child !== digest && present.has(child)).map((child) => ({ from: digest, to: child })),
  );
}

/** From a subject to what refers to it, by itself or by a reserved tag; both are in the repository. */
export function referrerLinks({ manifests, tags }: RepositorySnapshot): readonly Link[] {
  const present = new Set(manifests.map(({ digest }) => digest));
  const bySubject = manifests.flatMap(({ digest, subject }) => (subject === undefined ? [] : [{ from: subject, to: digest }]));
  const byTag = manifests.flatMap(({ digest: subject }) => {
    const prefix = referrersTagOf(subject as Digest);
    const about = tags.filter(({ name }) => name === prefix || name.startsWith(`${prefix}.`) || name.startsWith(`${prefix}-`));
    return about.map(({ digest }) => ({ from: subject, to: digest }));
  });
  return [...bySubject, ...byTag].filter(({ from, to }) => from !== to && present.has(from) && present.has(to));
}

/** Everything that the links lead to from there, and where it starts. */
export function reachable(starts: Iterable<string>, links: readonly Link[]): ReadonlySet<string> {
  const reached = new Set(starts);
  for (let before = -1; before !== reached.size;) {
    before = reached.size;
    for (const { from, to } of links) if (reached.has(from)) reached.add(to);
  }
  return reached;
}

/** Digests that a user's tag names. */
export function userTagged({ tags }: RepositorySnapshot): ReadonlySet<string> {
  return new Set(tags.filter(({ name }) => !/^sha(256|512)-/.test(name)).map(({ digest }) => digest));
}

/** Nobody's child and nobody's referrer, and refers to nothing: by the snapshot alone. */
export function standAlone(of: RepositorySnapshot): ReadonlySet<string> {
  const hanging = new Set([...childLinks(of), ...referrerLinks(of)].map(({ to }) => to));
  const reserved = new Set(of.tags.filter(({ name }) => /^sha(256|512)-/.test(name)).map(({ digest }) => digest));
  return new Set(
    of.manifests
      .filter(({ digest, subject }) => subject === undefined && !hanging.has(digest) && !reserved.has(digest))
      .map(({ digest }) => digest),
  );
}

/** That the property was tried on something: how many of its cases said so. */
export class Seen {
  #count = 0;

  note(happened: boolean): void {
    if (happened) this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }
}

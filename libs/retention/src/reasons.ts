/**
 * Why an artifact or a tag is kept or goes. A closed list; its order is the order in which the reasons
 * of one decision are given.
 * `unknown` marks those that keep only because something is not known.
 */
const meanings = {
  'no-policy': { knowledge: 'known', says: 'no policy covers the repository' },
  'role-keeps': { knowledge: 'known', says: 'nothing is deleted from a registry of this role' },
  'not-fully-crawled': { knowledge: 'unknown', says: 'no full crawl of the repository has come to its end' },
  'unreadable-in-repository': { knowledge: 'unknown', says: 'a manifest of the repository could not be read' },
  'repository-suspect': { knowledge: 'unknown', says: 'what was last seen of the repository cannot be believed' },
  hold: { knowledge: 'known', says: 'somebody holds it' },
  'reporter-silent': { knowledge: 'unknown', says: 'a reporter that covers the repository fell silent' },
  'in-use': { knowledge: 'known', says: 'a reporter says that it runs' },
  'promotion-running': { knowledge: 'known', says: 'a running promotion needs it' },
  'promoted-recently': { knowledge: 'known', says: 'it was promoted from here not long ago' },
  'provenance-target': { knowledge: 'known', says: 'its provenance says that it stands here under a tag of ours' },
  'present-at-prod': { knowledge: 'known', says: 'a replica holds what its prod holds' },
  'absence-unknown': { knowledge: 'unknown', says: 'whether the replica’s prod holds it is not known' },
  'immutable-tag': { knowledge: 'known', says: 'the tag is immutable' },
  'named-by-path': { knowledge: 'known', says: 'a path of the topology names the tag' },
  'min-keep': { knowledge: 'known', says: 'the repository would fall below its minimum' },
  'kept-by-rule': { knowledge: 'known', says: 'a rule keeps it' },
  rollback: { knowledge: 'known', says: 'a kept tag may be rolled back to it' },
  'younger-than-crawl': { knowledge: 'unknown', says: 'no full crawl began and ended since it was first seen' },
  'subject-absent': { knowledge: 'unknown', says: 'what it refers to is not in the repository' },
  'time-unknown': { knowledge: 'unknown', says: 'a time that a rule asks for is missing or absurd' },
  'metadata-unknown': { knowledge: 'unknown', says: 'a platform or version that a rule asks for is missing' },
  'child-of': { knowledge: 'known', says: 'a kept index lists it' },
  'referrer-of': { knowledge: 'known', says: 'it refers to what is kept' },
  'subject-of': { knowledge: 'known', says: 'what is kept refers to it' },
  'tag-kept': { knowledge: 'known', says: 'another tag of the digest is kept' },
  'digest-kept': { knowledge: 'known', says: 'its digest is kept' },
  'untag-only': { knowledge: 'known', says: 'a rule takes a tag off, and leaves the digest' },
  'criteria-unmet': { knowledge: 'known', says: 'a rule matches, and its criteria are not met yet' },
  'no-rule': { knowledge: 'known', says: 'no rule removes it' },
  'removed-by-rule': { knowledge: 'known', says: 'a rule removes it' },
  'untagged-expired': { knowledge: 'known', says: 'it has had no tag for as long as the policy allows' },
  'child-of-removed': { knowledge: 'known', says: 'every index that lists it goes' },
  'referrer-of-removed': { knowledge: 'known', says: 'what it refers to goes' },
  overruled: { knowledge: 'known', says: 'a rule would have removed it' },
} as const satisfies Readonly<Record<string, { readonly knowledge: 'known' | 'unknown'; readonly says: string }>>;

export type ReasonCode = keyof typeof meanings;

export const reasonCodes = Object.keys(meanings) as readonly ReasonCode[];

/** What a code says, as a clause. */
export function reasonMeaning(code: ReasonCode): string {
  return meanings[code].says;
}

export interface Reason {
  readonly code: ReasonCode;
  readonly policy?: string;
  readonly rule?: string;
  /** The artifact that protects it, or that it follows. */
  readonly digest?: string;
  readonly tag?: string;
  /** Of a hold, a promotion, a reporter, or the registry that it was promoted to. */
  readonly id?: string;
  /** How many more artifacts or tags do the same. */
  readonly more?: number;
}

const ranks = new Map(reasonCodes.map((code, rank) => [code, rank]));

/** The reasons in their stable order, each once. */
export function inOrder(reasons: readonly Reason[]): readonly Reason[] {
  if (reasons.length < 2) return reasons;
  const sorted = reasons.toSorted(compareReasons);
  return sorted.filter((reason, at) => at === 0 || compareReasons(sorted[at - 1] ?? reason, reason) !== 0);
}

/** What would have removed it, what may yet, and that nothing does. */
export function keepsNothing({ code }: Reason): boolean {
  return code === 'overruled' || code === 'criteria-unmet' || code === 'no-rule';
}

/** Is it kept for want of knowledge alone? */
export function keptForWantOfKnowledge(reasons: readonly Reason[]): boolean {
  let isUnknown = false;
  for (const reason of reasons) {
    if (keepsNothing(reason)) continue;
    if (meanings[reason.code].knowledge === 'known') return false;
    isUnknown = true;
  }
  return isUnknown;
}

function compareReasons(one: Reason, other: Reason): number {
  return (
    (ranks.get(one.code) ?? 0) - (ranks.get(other.code) ?? 0) ||
    compareText(one.policy, other.policy) ||
    compareText(one.rule, other.rule) ||
    compareText(one.digest, other.digest) ||
    compareText(one.tag, other.tag) ||
    compareText(one.id, other.id) ||
    (one.more ?? 0) - (other.more ?? 0)
  );
}

function compareText(one = '', other = ''): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

import type { Draft, PolicyDraft, RuleDraft } from '../draft.js';
import { type DocumentPath, type Finding, quoted } from '../finding.js';
import { nearest } from '../nearest.js';

/** A file with more unknown names than this is not mistyped; looking for near ones would only take time. */
const mostSuggestions = 100;

/** Every registry and location that is mentioned is declared. */
export function unknownNames(draft: Draft): Finding[] {
  return [
    ...unknownAmong(registryMentions(draft), draft.registries, 'registry'),
    ...unknownAmong(locationMentions(draft), draft.locations, 'location'),
  ];
}

interface Mention {
  /** Undefined when it could not be read. */
  readonly name: string | undefined;
  readonly path: DocumentPath;
  readonly at?: 'key';
}

function registryMentions(draft: Draft): Mention[] {
  return [
    ...Object.entries(draft.registries).map(([name, { of }]) => ({ name: of, path: ['registries', name, 'of'] })),
    ...Object.entries(draft.paths).flatMap(([name, edge]) => edgeMentions(edge, ['paths', name])),
    ...draft.replications.flatMap((edge, index) => edgeMentions(edge, ['replications', index])),
    ...draft.retention.flatMap((policy, index) => policyMentions(policy, ['retention', index])),
  ];
}

function policyMentions({ registry, rules = [] }: PolicyDraft, base: DocumentPath): Mention[] {
  const ofRules = rules.flatMap((rule, index) => (rule === undefined ? [] : ruleMentions(rule, [...base, 'rules', index])));
  return [{ name: registry, path: [...base, 'registry'] }, ...ofRules];
}

function ruleMentions({ to, match, absentFrom }: RuleDraft, base: DocumentPath): Mention[] {
  const orAny = (['promotedTo', 'source'] as const).map((key) => ({
    name: match?.[key] === 'any' ? undefined : match?.[key],
    path: [...base, 'match', key],
  }));
  return [{ name: to, path: [...base, 'to'] }, ...orAny, { name: absentFrom?.registry, path: [...base, 'absentFrom', 'registry'] }];
}

interface Edge {
  readonly from?: string | undefined;
  readonly to?: readonly (string | undefined)[] | undefined;
}

function edgeMentions({ from, to = [] }: Edge, base: DocumentPath): Mention[] {
  return [{ name: from, path: [...base, 'from'] }, ...to.map((name, index) => ({ name, path: [...base, 'to', index] }))];
}

function locationMentions(draft: Draft): Mention[] {
  const standing = Object.entries(draft.registries).map(([name, { location }]) => ({
    name: location,
    path: ['registries', name, 'location'],
  }));
  const linked = Object.entries(draft.locations).flatMap(([name, { egress = {} }]) =>
    Object.keys(egress).map((other) => ({ name: other, path: ['locations', name, 'egress', other], at: 'key' as const })),
  );
  return [...standing, ...linked];
}

function unknownAmong(mentions: readonly Mention[], known: Readonly<Record<string, unknown>>, noun: 'registry' | 'location'): Finding[] {
  const names = Object.keys(known);
  return mentions
    .flatMap(({ name, ...place }) => (name === undefined || Object.hasOwn(known, name) ? [] : [{ name, ...place }]))
    .map(({ name, ...place }, index): Finding => {
      const [suggestion] = index < mostSuggestions ? nearest(name, names, 1) : [];
      const message = `unknown ${noun} ${quoted(name)}`;
      return { code: `${noun}-unknown`, message, ...place, ...(suggestion === undefined ? {} : { suggestion }) };
    });
}

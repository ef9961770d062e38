import type { Automaton } from '../automaton.js';
import { type CharacterSet, setOf, slash } from '../character-set.js';
import type { TemplateSegment } from '../template.js';
import type { SplitNames } from './split-names.js';

/** Which part of the source name a character of a target name was taken from. */
export type Origin = 'namespace' | 'name' | 'template';

/** All names that a template makes of some sources; each edge knows where its character comes from. */
export interface TargetNames {
  readonly edges: readonly (readonly TargetEdge[])[];
  readonly start: number;
  readonly accepts: ReadonlySet<number>;
}

export interface TargetEdge {
  readonly on: CharacterSet;
  readonly to: number;
  readonly origin: Origin;
}

type Part = { readonly text: string } | { readonly origin: 'namespace' | 'name'; readonly automaton: Automaton };

/** Undefined when the template makes no name of these sources, as `{namespace}` of a single segment. */
export function targetNames(template: readonly TemplateSegment[], sources: SplitNames, registry: string): TargetNames | undefined {
  const segments = template.map((pieces) => partsOf(pieces, sources, registry)).filter((parts) => parts.length > 0);
  if (segments.length === 0) return undefined;
  return concatenated(segments.flatMap((parts, index) => (index === 0 ? parts : [{ text: '/' }, ...parts])));
}

function partsOf(pieces: TemplateSegment, { namespace, name }: SplitNames, registry: string): Part[] {
  const before: Part[] = namespace === undefined ? [] : [{ origin: 'namespace', automaton: namespace }];
  const last: Part = { origin: 'name', automaton: name };
  return pieces.flatMap((piece): Part[] => {
    if ('text' in piece) return [piece];
    switch (piece.variable) {
      case 'registry':
        return [{ text: registry }];
      case 'namespace':
        return before;
      case 'name':
        return [last];
      case 'repository':
        return namespace === undefined ? [last] : [...before, { text: '/' }, last];
    }
  });
}

/** No part takes the empty word, so the ends of one are exactly where the next begins. */
function concatenated(parts: readonly Part[]): TargetNames {
  const edges: TargetEdge[][] = [[]];
  let ends: readonly number[] = [0];
  for (const part of parts) {
    ends = 'text' in part ? appendText(edges, ends, part.text) : appendAutomaton(edges, ends, part);
  }
  return { edges, start: 0, accepts: new Set(ends) };
}

function appendText(edges: TargetEdge[][], ends: readonly number[], text: string): readonly number[] {
  let from = ends;
  for (const character of text) {
    const to = edges.push([]) - 1;
    const on = character === '/' ? slash : setOf(character);
    for (const end of from) edges[end]?.push({ on, to, origin: 'template' });
    from = [to];
  }
  return from;
}

function appendAutomaton(
  edges: TargetEdge[][],
  ends: readonly number[],
  { origin, automaton }: { readonly origin: Origin; readonly automaton: Automaton },
): readonly number[] {
  const offset = edges.length;
  const copied = automaton.edges.map((own) => own.map(({ on, to }): TargetEdge => ({ on, to: to + offset, origin })));
  edges.push(...copied.map((own) => [...own]));
  for (const end of ends) {
    for (const start of automaton.starts) edges[end]?.push(...(copied[start] ?? []));
  }
  return [...automaton.accepts].map((accept) => accept + offset);
}

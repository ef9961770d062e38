import { isRepositoryName } from '@waybill/oci-model';
import { nearest } from './nearest.js';

/**
 * Templates of target repositories. Slashes divide a template into segments; `{repository}` and
 * `{namespace}` are segments of their own, `{name}` and `{registry}` may be joined with text.
 * Each variable stands once, so that a target name always tells what it was made from.
 */
export const templateVariables = ['repository', 'name', 'namespace', 'registry'] as const;
export type TemplateVariable = (typeof templateVariables)[number];

export type TemplatePiece = { readonly text: string } | { readonly variable: TemplateVariable };
/** Pieces of one segment. */
export type TemplateSegment = readonly TemplatePiece[];

export type ParsedTemplate =
  | { readonly ok: true; readonly segments: readonly TemplateSegment[] }
  | { readonly ok: false; readonly problem: string; readonly suggestion?: string };

/** Where an image comes from, as a template sees it. */
export interface TemplateSource {
  /** The source registry's name in the topology. */
  readonly registry: string;
  readonly repository: string;
}

const longestTemplate = 255;

export function parseTemplate(text: string): ParsedTemplate {
  if (text.length > longestTemplate) return { ok: false, problem: `is longer than ${longestTemplate} characters` };
  const segments: TemplatePiece[][] = [];
  for (const segment of text.split('/')) {
    const pieces: TemplatePiece[] = [];
    for (const [piece, braced] of segment.matchAll(/\{([^{}]*)\}|[^{}]+|[{}]/g)) {
      if (piece === '{' || piece === '}') return { ok: false, problem: `has a "${piece}" without its partner` };
      if (braced === undefined) pieces.push({ text: piece });
      else if (isVariable(braced)) pieces.push({ variable: braced });
      else return unknownVariable(braced);
    }
    segments.push(pieces);
  }
  const problem = problemOf(segments);
  return problem === undefined ? { ok: true, segments } : { ok: false, problem };
}

/**
 * The name that the template makes of a source, not checked for being one.
 * A repository of one segment has no namespace: the segment `{namespace}` then goes away.
 */
export function applyTemplate(segments: readonly TemplateSegment[], source: TemplateSource): string {
  const values = valuesOf(source);
  return segments
    .map((pieces) => pieces.map((piece) => ('text' in piece ? piece.text : values[piece.variable])).join(''))
    .filter((segment) => segment !== '')
    .join('/');
}

function valuesOf({ registry, repository }: TemplateSource): Readonly<Record<TemplateVariable, string>> {
  const cut = repository.lastIndexOf('/');
  return { repository, registry, name: repository.slice(cut + 1), namespace: cut < 0 ? '' : repository.slice(0, cut) };
}

function isVariable(word: string): word is TemplateVariable {
  return (templateVariables as readonly string[]).includes(word);
}

function unknownVariable(word: string): ParsedTemplate {
  const problem = `has the unknown variable ${JSON.stringify(`{${word.slice(0, 40)}}`)}`;
  const [near] = nearest(word, templateVariables, 1);
  return near === undefined ? { ok: false, problem } : { ok: false, problem, suggestion: `{${near}}` };
}

function problemOf(segments: readonly TemplateSegment[]): string | undefined {
  if (segments.some((pieces) => pieces.length === 0)) return 'has an empty segment';
  const used = segments.flatMap((pieces) => pieces.flatMap((piece) => ('variable' in piece ? [piece.variable] : [])));
  const twice = used.find((variable, index) => used.indexOf(variable) !== index);
  if (twice !== undefined) return `uses {${twice}} twice`;
  if (used.includes('repository') && (used.includes('name') || used.includes('namespace'))) {
    return 'uses {repository} beside a part of it: {repository} is {namespace}/{name}';
  }
  const joined = segments.find((pieces) => pieces.length > 1 && pieces.some((piece) => isWholeSegment(piece)));
  if (joined !== undefined) return 'joins {repository} or {namespace} with text: they must stand alone between slashes';
  const example = applyTemplate(segments, { registry: 'x', repository: 'x/x' });
  return isRepositoryName(example) ? undefined : `makes no repository name: ${JSON.stringify(example)} is none`;
}

function isWholeSegment(piece: TemplatePiece): boolean {
  return 'variable' in piece && (piece.variable === 'repository' || piece.variable === 'namespace');
}

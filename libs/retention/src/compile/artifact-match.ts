import { RE2JS, RE2JSException } from 're2js';
import { Range } from 'semver';
import { annotationMatcher, type ArtifactMatch, type TagMatch } from '@waybill/topology';
import type { Candidate } from '../rules/candidates.js';
import { RetentionError } from '../retention-error.js';
import { compileTagGlobs } from './glob.js';

/** `unknown`: it would match if something were so that nobody knows. */
export type Verdict = 'yes' | 'no' | 'unknown';
type Test = (candidate: Candidate) => Verdict;

/**
 * All that is written must hold; the repository is asked about elsewhere, once for all its artifacts.
 * @throws RetentionError `pattern-invalid`
 */
export function compileMatch(match: ArtifactMatch): Test {
  const tests = [...tagTests(match), ...manifestTests(match)];
  return (candidate) => {
    let verdict: Verdict = 'yes';
    for (const test of tests) {
      const one = test(candidate);
      if (one === 'no') return 'no';
      if (one === 'unknown') verdict = 'unknown';
    }
    return verdict;
  };
}

/** @throws RetentionError `pattern-invalid` */
export function compileExpression(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw invalid(`${JSON.stringify(source)} is no RE2 expression`, error);
  }
}

function tagTests({ tags, tagState }: ArtifactMatch): readonly Test[] {
  const tests: Test[] = [];
  if (tagState === 'tagged') tests.push(({ tag }) => asVerdict(tag !== undefined));
  if (tagState === 'untagged') tests.push(({ tag }) => asVerdict(tag === undefined));
  if (tags !== undefined) tests.push(tagTest(tags));
  return tests;
}

/** One of those that are written; what has no tag matches none. */
function tagTest({ glob, regex, semver }: TagMatch): Test {
  const byGlob = glob === undefined ? undefined : compileTagGlobs(glob);
  const expression = regex === undefined ? undefined : compileExpression(regex);
  const range = semver === undefined ? undefined : compileRange(semver);
  return ({ tag, version }) => {
    if (tag === undefined) return 'no';
    if (byGlob?.(tag.name) === true) return 'yes';
    if (expression?.testExact(tag.name) === true) return 'yes';
    return asVerdict(range !== undefined && version !== undefined && range.test(version));
  };
}

function compileRange(source: string): Range {
  try {
    return new Range(source);
  } catch (error) {
    throw invalid(`${JSON.stringify(source)} is no range of versions`, error);
  }
}

function manifestTests(match: ArtifactMatch): readonly Test[] {
  const { mediaTypes, artifactTypes, platforms, annotations, signed, promotedTo, source } = match;
  const tests: Test[] = [];
  if (mediaTypes !== undefined && mediaTypes.length > 0) {
    tests.push(({ manifest }) => asVerdict(mediaTypes.includes(manifest.mediaType)));
  }
  if (artifactTypes !== undefined && artifactTypes.length > 0) {
    tests.push(({ manifest: { artifactType } }) => asVerdict(artifactType !== undefined && artifactTypes.includes(artifactType)));
  }
  if (platforms !== undefined && platforms.length > 0) tests.push(platformTest(platforms));
  for (const [key, glob] of Object.entries(annotations ?? {})) tests.push(annotationTest(key, glob));
  if (signed !== undefined) tests.push(({ signed: is }) => (is === 'unknown' ? is : asVerdict((is === 'yes') === signed)));
  if (promotedTo !== undefined) {
    tests.push(({ manifest }) => asVerdict(manifest.promotedTo.some(({ registry }) => promotedTo === 'any' || registry === promotedTo)));
  }
  if (source !== undefined) {
    tests.push(({ manifest }) => asVerdict(manifest.sources.some((registry) => source === 'any' || registry === source)));
  }
  return tests;
}

/** A platform without a variant stands for all its variants. */
function platformTest(wanted: readonly string[]): Test {
  return ({ manifest: { platforms } }) => {
    if (platforms === 'unknown') return 'unknown';
    return asVerdict(platforms.some((platform) => wanted.some((one) => platform === one || platform.startsWith(`${one}/`))));
  };
}

function annotationTest(key: string, glob: string): Test {
  const matches = annotationMatcher(glob);
  return ({ manifest: { annotations, lacksAnnotations } }) => {
    if (!Object.hasOwn(annotations, key)) return lacksAnnotations === true ? 'unknown' : 'no';
    return asVerdict(matches(annotations[key] ?? ''));
  };
}

function asVerdict(holds: boolean): Verdict {
  return holds ? 'yes' : 'no';
}

function invalid(message: string, cause: unknown): RetentionError {
  return new RetentionError(message, { code: 'pattern-invalid', operation: 'compile policy', cause });
}

import { z } from 'zod';
import { type GlobSubject, parseGlob } from './glob.js';
import { written } from './schema-words.js';

const glob = (subject: GlobSubject): z.ZodString =>
  written(
    (text) => {
      const parsed = parseGlob(text, subject);
      return parsed.ok ? undefined : { code: 'glob-invalid', problem: parsed.problem };
    },
    `Glob over a ${subject}: *, ?, [a-z]${subject === 'repository' ? ', ** for any number of segments' : ''}`,
  );

export const repositoryGlobs = z.array(glob('repository')).min(1).max(100);
export const tagGlobs = z.array(glob('tag')).min(1).max(100);

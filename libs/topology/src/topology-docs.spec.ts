import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { diagnosticCodes } from './diagnostic.js';
import { parseTopology } from './parse-topology.js';
import { type Planted, topologyText } from './planted.spec-helper.js';
import { roleMatrix, roles } from './roles.js';
import { topologyJsonSchema } from './schema.js';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/topology.md'), 'utf8');

/** The examples of the section on retention, each with the registries of the example file. */
const [, examplesOfRetention = ''] = /^#### Examples$([^]*?)^### /m.exec(page) ?? [];
const worked = Array.from(
  examplesOfRetention.matchAll(/```yaml\n(retention:\n {2}- name: (\S+)\n[^]*?)```/g),
  ([, lines = '', name = '']) => ({
    name,
    lines,
  }),
);

/** An example of the page: its code, its lines, and what is said to be answered. */
const examples = Array.from(
  page.matchAll(/^#### `([a-z-]+)`\n(?:(?!^#)[^])*?```yaml\n([^]*?)```\n\n> (.*)$/gm),
  ([, code = '', lines = '', says = '']) => ({
    code,
    lines,
    says,
  }),
);

/** Examples that begin with a section add to it; others are whole files. */
function textOf(lines: string): string {
  const sections = Array.from(
    lines.matchAll(/^(locations|registries|paths|replications|retention):\n((?: {2}.*\n)+)/gm),
    ([, section = '', body = '']) => [section, body.replaceAll(/^ {2}/gm, '').trimEnd()],
  );
  return sections.length === 0 ? lines : topologyText(Object.fromEntries(sections) as Planted);
}

describe('docs/topology.md', () => {
  it('explains every code, in the order of the list', () => {
    const explained = Array.from(page.matchAll(/^#### `([a-z-]+)`$/gm), ([, code]) => code);

    expect(explained.toSorted()).toEqual([...diagnosticCodes].sort());
    expect(examples.length).toBeGreaterThanOrEqual(explained.length - 2);
    expect(worked).toHaveLength(3);
  });

  it.each(examples)('shows the true answer for $code', ({ code, lines, says }) => {
    const { diagnostics } = parseTopology(textOf(lines), { file: 'topology.yaml' });

    const answers = diagnostics
      .filter((one) => one.code === code)
      .map(({ message, suggestion }) => (suggestion === undefined ? message : `${message} (did you mean "${suggestion}"?)`));
    expect(answers).toContain(says);
  });

  it.each(worked)('shows a policy that is accepted as it stands: $name', ({ lines }) => {
    const text = readFileSync(join(root, 'topology.example.yaml'), 'utf8');
    const { topology, diagnostics } = parseTopology(
      text.replace(/^retention:$[^]*/m, () => lines),
      { file: 'topology.yaml' },
    );

    expect(diagnostics).toEqual([]);
    expect(topology?.retention).toHaveLength(1);
  });

  it('names every key of the schema', () => {
    const keys = new Set(keysOf(topologyJsonSchema()));

    expect(Array.from(keys).filter((key) => !new RegExp(`[\`.{ ]${key}[\`.:]`).test(page))).toEqual([]);
    expect(keys.size).toBeGreaterThan(20);
  });

  it.each(roles)('has the row of %s as the role matrix has it', (role) => {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${role}\` `) && line.split('|').length === 7);
    const [, , feeds = '', fedBy = ''] = row?.split('|') ?? [];

    expect(rolesIn(feeds)).toEqual(roleMatrix[role].feeds);
    expect(rolesIn(fedBy)).toEqual(roleMatrix[role].fedBy);
  });
});

function rolesIn(cell: string): string[] {
  return Array.from(cell.matchAll(/`([a-z-]+)`/g), ([, role = '']) => role);
}

function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties, additionalProperties, items, anyOf } = schema as Record<string, unknown>;
  const own = typeof properties === 'object' && properties !== null ? Object.entries(properties) : [];
  const below = [
    additionalProperties,
    items,
    ...(Array.isArray(anyOf) ? (anyOf as unknown[]) : []),
    ...own.map(([, value]: [string, unknown]) => value),
  ];
  return [...own.map(([key]) => key), ...below.flatMap(keysOf)];
}

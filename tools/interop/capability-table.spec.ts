import { describe, expect, it } from '@jest/globals';
import { driftOf, printTable, readTable, withSeen, withTable } from './capability-table.mjs';

const markers = ['<!-- capabilities: begin; written by `npm run test:interop -- --write` -->', '<!-- capabilities: end -->'] as const;
const page = (table: string) => `# Registries\n\n${markers[0]}\n\n${table}\n\n${markers[1]}\n\nMore.\n`;
const written = page(`
|           | A 1        | B 2 |
| --------- | ---------- | --- |
| version   | 1.0.0      | –   |
| seen on   | 2026-01-01 | –   |
| \`mount\` | yes        | –   |`);
const seen = (values: Partial<{ kind: string; version: string; mount: boolean }> = {}) => ({
  kind: values.kind ?? 'A 1',
  version: values.version ?? '1.0.0',
  seenAt: '2026-02-02T10:00:00.000Z',
  capabilities: { mount: values.mount ?? true },
});

describe('the table of capabilities', () => {
  it('is read back as it was printed', () => {
    const table = withSeen(readTable(written), [seen({ kind: 'C 3' }), seen({ kind: 'B 2', mount: false })]);

    expect(readTable(page(printTable(table)))).toEqual(
      new Map([
        ['A 1', new Map([...head('1.0.0', '2026-01-01'), ['`mount`', 'yes']])],
        ['B 2', new Map([...head('1.0.0', '2026-02-02'), ['`mount`', 'no']])],
        ['C 3', new Map([...head('1.0.0', '2026-02-02'), ['`mount`', 'yes']])],
      ]),
    );
  });

  it('replaces nothing of the page but itself', () => {
    const changed = withTable(written, withSeen(readTable(written), [seen({ version: '1.1.0' })]));

    expect(changed).toContain('| 1.1.0 |');
    expect(changed.startsWith(`# Registries\n\n${markers[0]}\n`)).toBe(true);
    expect(changed.endsWith(`${markers[1]}\n\nMore.\n`)).toBe(true);
  });

  it('has no place in a page without its markers', () => {
    expect(() => readTable('# Registries')).toThrow('the page has no place for the table');
  });

  it.each([
    ['another version and date', seen({ version: '9.9.9' }), []],
    ['another value', seen({ mount: false }), ['A 1: `mount` was seen to be no, and docs/registries.md says yes']],
    ['what was never seen', seen({ kind: 'B 2' }), ['B 2: `mount` was seen to be yes, and docs/registries.md says –']],
    ['a new kind', seen({ kind: 'D 4' }), ['D 4: `mount` was seen to be yes, and docs/registries.md says –']],
  ])('tells drift of %s', (_title, now, drift) => {
    expect(driftOf(readTable(written), [now])).toEqual(drift);
  });
});

function head(version: string, date: string): [string, string][] {
  return [
    ['version', version],
    ['seen on', date],
  ];
}

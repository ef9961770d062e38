// The table in docs/registries.md of what registries were seen to do: generated between two markers, kept in the repository.

const BEGIN = '<!-- capabilities: begin; written by `npm run test:interop -- --write` -->';
const END = '<!-- capabilities: end -->';
const UNSEEN = '–';
/** The first two lines tell when and what was seen, and are no reason for anybody to look at a change. */
const VERSION = 'version';
const SEEN = 'seen on';

/**
 * @typedef {{ kind: string, version: string, seenAt: string, capabilities: Readonly<Record<string, boolean | 'unknown'>> }} Seen
 * @typedef {ReadonlyMap<string, ReadonlyMap<string, string>>} Table kind → first cell of the line → cell
 */

/**
 * The table as it stands in the page.
 *
 * @param {string} page
 * @returns {Table}
 */
export function readTable(page) {
  const rows = between(page)
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[-: |]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const [[, ...kinds] = [], ...lines] = rows;
  return new Map(kinds.map((kind, index) => [kind, new Map(lines.map(([name = '', ...cells]) => [name, cells[index] ?? UNSEEN]))]));
}

/**
 * The table with what was seen now. What was not seen now stays as it was; a new kind comes last.
 *
 * @param {Table} table
 * @param {readonly Seen[]} seen
 * @returns {Table}
 */
export function withSeen(table, seen) {
  return new Map([...table, ...seen.map((each) => /** @type {const} */ ([each.kind, columnOf(each)]))]);
}

/** @param {Seen} seen */
function columnOf({ version, seenAt, capabilities }) {
  const cells = Object.entries(capabilities).map(([name, value]) => /** @type {const} */ ([`\`${name}\``, wordOf(value)]));
  return new Map([[VERSION, version], [SEEN, seenAt.slice(0, 10)], ...cells]);
}

/** @param {boolean | 'unknown'} value */
function wordOf(value) {
  if (value === 'unknown') return 'unknown';
  return value ? 'yes' : 'no';
}

/**
 * @param {Table} table
 * @returns {string} Markdown
 */
export function printTable(table) {
  const names = [...new Set([...table.values()].flatMap((column) => [...column.keys()]))];
  const lines = names.map((name) => [name, ...[...table.values()].map((column) => column.get(name) ?? UNSEEN)]);
  const header = ['', ...table.keys()];
  return [header, header.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/**
 * Where what was seen differs from what the page says, in words. Dates and versions are no difference.
 *
 * @param {Table} table
 * @param {readonly Seen[]} seen
 * @returns {string[]}
 */
export function driftOf(table, seen) {
  return seen.flatMap((each) => {
    const written = table.get(each.kind);
    return [...columnOf(each)]
      .filter(([name, value]) => name !== VERSION && name !== SEEN && written?.get(name) !== value)
      .map(([name, value]) => `${each.kind}: ${name} was seen to be ${value}, and docs/registries.md says ${written?.get(name) ?? UNSEEN}`);
  });
}

/**
 * @param {string} page
 * @param {Table} table
 * @returns {string} the page with the table in its place
 */
export function withTable(page, table) {
  return page.replace(between(page), `\n\n${printTable(table)}\n\n`);
}

/** @param {string} page */
function between(page) {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page has no place for the table: "${BEGIN}" and "${END}"`);
  return page.slice(begin + BEGIN.length, end);
}

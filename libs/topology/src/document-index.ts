import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, type Node, type Pair, visit, type YAMLMap } from 'yaml';
import { type DocumentPath, quoted } from './finding.js';
import type { TextProblem } from './read-yaml.js';

const mostAliases = 100;

/** Finds values of a document in its text, and says what is wrong with its keys and aliases. */
export class DocumentIndex {
  readonly #document: Document;
  readonly #pairs = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

  constructor(document: Document) {
    this.#document = document;
  }

  /** Keys that a map has twice: the later ones are pointed at. */
  duplicateKeys(lines: LineCounter): TextProblem[] {
    const problems: TextProblem[] = [];
    visit(this.#document, {
      Map: (_key, map) => {
        const lineOf = new Map<string, number>();
        for (const pair of map.items) {
          const key = keyOf(pair);
          const offset = offsetOf(pair.key) ?? 0;
          const line = lineOf.get(key);
          if (line === undefined) lineOf.set(key, lines.linePos(offset).line);
          else problems.push({ code: 'key-duplicate', message: `key ${quoted(key)} was already given on line ${line}`, offset });
        }
      },
    });
    return problems;
  }

  /** The document as plain values, or what keeps it from being read so. */
  values(): { readonly ok: true; readonly data: unknown } | { readonly ok: false; readonly problems: readonly TextProblem[] } {
    const obstacles = this.#obstacles();
    if (obstacles.length > 0) return { ok: false, problems: obstacles };
    try {
      return { ok: true, data: this.#document.toJS({ maxAliasCount: mostAliases }) };
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      return { ok: false, problems: [{ code: 'aliases-too-many', message: 'aliases of aliases make the document too large', offset: 0 }] };
    }
  }

  /** The offset of a value or of its key; of the nearest thing around it that is in the text. */
  offsetOf(path: DocumentPath, at: 'key' | 'value'): number {
    let node = this.#resolved(this.#document.contents);
    let found = offsetOf(node) ?? 0;
    for (const [depth, part] of path.entries()) {
      const last = depth === path.length - 1;
      if (isSeq(node)) {
        const item = node.items[Number(part)];
        found = offsetOf(item) ?? found;
        node = this.#resolved(item);
      } else if (isMap(node)) {
        const pair = this.#pairsOf(node).get(String(part));
        if (pair === undefined) return found;
        const value = offsetOf(isEmpty(pair.value) ? undefined : pair.value);
        found = (last && at === 'value' ? value : undefined) ?? offsetOf(pair.key) ?? found;
        node = this.#resolved(pair.value);
      } else {
        return found;
      }
    }
    return found;
  }

  /** Aliases without an anchor or too many of them, and the one key that an object cannot hold. */
  #obstacles(): TextProblem[] {
    const problems: TextProblem[] = [];
    let count = 0;
    visit(this.#document, {
      Pair: (_key, pair) => {
        if (keyOf(pair) !== '__proto__') return;
        problems.push({ code: 'name-invalid', message: '"__proto__" cannot be a key', offset: offsetOf(pair.key) ?? 0 });
      },
      Alias: (_key, alias) => {
        const offset = offsetOf(alias) ?? 0;
        count += 1;
        if (count > mostAliases) {
          problems.push({ code: 'aliases-too-many', message: `more than ${mostAliases} aliases stand in the file`, offset });
          return visit.BREAK;
        }
        if (alias.resolve(this.#document) === undefined) {
          problems.push({ code: 'yaml-syntax', message: 'this alias has no anchor before it', offset });
        }
        return undefined;
      },
    });
    return problems;
  }

  #resolved(node: unknown): Node | undefined {
    if (isAlias(node)) return node.resolve(this.#document);
    return isNode(node) ? node : undefined;
  }

  #pairsOf(map: YAMLMap): ReadonlyMap<string, Pair> {
    const known = this.#pairs.get(map);
    if (known !== undefined) return known;
    const pairs = new Map(map.items.map((pair) => [keyOf(pair), pair]));
    this.#pairs.set(map, pairs);
    return pairs;
  }
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function isEmpty(node: unknown): boolean {
  return isScalar(node) && node.value === null && node.source === '';
}

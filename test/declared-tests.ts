import ts from 'typescript';

/** A place in a title of `it.each` where a row's text comes in: printf's (`%s`) or a field's (`$name`). */
const placeholder = /%[sjdip]|\$[\w.]+/;

/**
 * Whether a spec file declares a test of exactly this name. The name of a row of `it.each` fits when what stands
 * in the place of each placeholder is a text of the file.
 */
export function declaresTest(source: string, name: string): boolean {
  const file = ts.createSourceFile('a.spec.ts', source, ts.ScriptTarget.Latest);
  const texts = new Set<string>();
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) texts.add(node.text);
    if (ts.isCallExpression(node) && isTest(node.expression)) {
      const [title] = node.arguments;
      if (title !== undefined && ts.isStringLiteralLike(title)) titles.push(title.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return titles.some((title) => isNameOf(title, name, texts));
}

/** `it`, or `it.each(…)`; what is skipped is no test. */
function isTest(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return callee.text === 'it';
  if (!ts.isCallExpression(callee) || !ts.isPropertyAccessExpression(callee.expression)) return false;
  const { expression, name } = callee.expression;
  return name.text === 'each' && ts.isIdentifier(expression) && expression.text === 'it';
}

function isNameOf(title: string, name: string, texts: ReadonlySet<string>): boolean {
  if (title === name) return true;
  if (!placeholder.test(title)) return false;
  const parts = title.split(placeholder).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const filled = new RegExp(`^${parts.join('(.+)')}$`).exec(name)?.slice(1);
  // What `%j` writes of a text has quotes around it.
  return filled?.every((text) => texts.has(text) || texts.has(text.replace(/^"(.*)"$/, '$1'))) ?? false;
}

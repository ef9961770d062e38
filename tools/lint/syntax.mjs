/** @typedef {import('estree').Node} Node */

/**
 * The name that a property access or an identifier is known by: `c` of `a.b.c`, of `a['c']`, of `this.#c`, and of `c`.
 *
 * @param {Node} node
 * @returns {string | undefined}
 */
export function lastName(node) {
  if (node.type === 'Identifier' || node.type === 'PrivateIdentifier') return node.name;
  if (node.type !== 'MemberExpression') return undefined;
  if (!node.computed) return lastName(node.property);
  return node.property.type === 'Literal' && typeof node.property.value === 'string' ? node.property.value : undefined;
}

/**
 * The identifier that a chain of property accesses begins with: `a` of `a.b.c`.
 *
 * @param {Node} node
 * @returns {string | undefined}
 */
export function firstName(node) {
  if (node.type === 'MemberExpression') return firstName(node.object);
  return node.type === 'Identifier' ? node.name : undefined;
}

/**
 * What is imported, whatever it is called here: `a` of `import { a as b } from 'c'`.
 *
 * @param {import('estree').ImportSpecifier} specifier
 * @returns {string}
 */
export function importedName({ imported }) {
  return imported.type === 'Identifier' ? imported.name : String(imported.value);
}

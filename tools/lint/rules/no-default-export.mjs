/**
 * A default export has no name of its own: each importer invents one, and no search finds them all.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const noDefaultExport = {
  meta: {
    type: 'suggestion',
    docs: { description: 'disallow default exports' },
    schema: [],
    messages: { named: 'export it by name' },
  },
  create(context) {
    return {
      ExportDefaultDeclaration(node) {
        context.report({ node, messageId: 'named' });
      },
      ExportSpecifier(node) {
        if (node.exported.type === 'Identifier' && node.exported.name === 'default') context.report({ node, messageId: 'named' });
      },
    };
  },
};

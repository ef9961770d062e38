import { importedName, lastName } from '../syntax.mjs';

/**
 * `forwardRef` hides a cycle between modules; the way out is to move the shared piece down into a library.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const noForwardRef = {
  meta: {
    type: 'problem',
    docs: { description: "disallow Nest's forwardRef" },
    schema: [],
    messages: { cycle: 'forwardRef hides a cycle: move what both sides need into a library' },
  },
  create(context) {
    return {
      ImportSpecifier(node) {
        if (importedName(node) === 'forwardRef') context.report({ node, messageId: 'cycle' });
      },
      CallExpression(node) {
        if (node.callee.type === 'MemberExpression' && lastName(node.callee) === 'forwardRef') context.report({ node, messageId: 'cycle' });
      },
    };
  },
};

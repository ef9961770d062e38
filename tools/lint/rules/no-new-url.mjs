/**
 * A link from a registry, a payload or a header may point anywhere. The libraries that turn text into addresses check
 * them against what the topology names; others are handed addresses that were checked.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const noNewUrl = {
  meta: {
    type: 'problem',
    docs: { description: 'disallow parsing URLs outside the libraries that check them' },
    schema: [],
    messages: { unchecked: 'links are parsed and checked where they enter (oci-registry, topology, config): take a checked one instead' },
  },
  create(context) {
    return {
      NewExpression(node) {
        if (node.callee.type !== 'Identifier' || node.callee.name !== 'URL') return;
        if (!namesOwnFile(node)) context.report({ node, messageId: 'unchecked' });
      },
    };
  },
};

/**
 * `new URL('../dist/main.js', import.meta.url)` names a file of ours.
 *
 * @param {import('estree').NewExpression} node
 */
function namesOwnFile({ arguments: [target, base] }) {
  return target?.type === 'Literal' && base?.type === 'MemberExpression' && base.object.type === 'MetaProperty';
}

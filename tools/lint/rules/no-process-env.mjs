import { importedName, lastName } from '../syntax.mjs';

/**
 * The environment is read and validated in one place; everything else is handed what it needs.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const noProcessEnv = {
  meta: {
    type: 'problem',
    docs: { description: 'disallow reading the environment outside the configuration library' },
    schema: [],
    messages: { useConfig: 'read the environment through @waybill/config, where it is validated at start-up' },
  },
  create(context) {
    return {
      MemberExpression(node) {
        if (lastName(node) !== 'env') return;
        if (node.object.type === 'Identifier' && node.object.name === 'process') context.report({ node, messageId: 'useConfig' });
      },
      ImportDeclaration({ source, specifiers }) {
        if (source.value !== 'process' && source.value !== 'node:process') return;
        for (const node of specifiers) {
          if (node.type === 'ImportSpecifier' && importedName(node) === 'env') context.report({ node, messageId: 'useConfig' });
        }
      },
    };
  },
};

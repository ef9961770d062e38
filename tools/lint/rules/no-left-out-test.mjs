import { firstName, lastName } from '../syntax.mjs';

const BLOCKS = new Set(['describe', 'it', 'test']);
const MODIFIERS = new Set(['only', 'skip', 'todo', 'failing']);
const SHORTHANDS = new Set(['fdescribe', 'fit', 'xdescribe', 'xit', 'xtest']);

/**
 * A test that does not run, or keeps others from running, looks green.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const noLeftOutTest = {
  meta: {
    type: 'problem',
    docs: { description: 'disallow focused, skipped and postponed tests' },
    schema: [],
    messages: { leftOut: 'every test runs: use describeWith of @waybill/testing for one that needs a server' },
  },
  create(context) {
    return {
      MemberExpression(node) {
        const isModified = MODIFIERS.has(lastName(node) ?? '') && BLOCKS.has(firstName(node) ?? '');
        if (isModified) context.report({ node, messageId: 'leftOut' });
      },
      CallExpression({ callee }) {
        if (callee.type === 'Identifier' && SHORTHANDS.has(callee.name)) context.report({ node: callee, messageId: 'leftOut' });
      },
    };
  },
};

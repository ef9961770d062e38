import { lastName } from '../syntax.mjs';

const LEVELS = new Set(['trace', 'debug', 'verbose', 'info', 'log', 'warn', 'error', 'fatal']);
const LOGGER = /^(log|logger)$/i;

/**
 * Alerts and searches group log lines by message: what varies belongs into fields.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const staticLogMessage = {
  meta: {
    type: 'problem',
    docs: { description: 'require the message of a log line to be a literal' },
    schema: [],
    messages: { notStatic: 'the message of a log line is a literal; what varies belongs into its fields' },
  },
  create(context) {
    return {
      CallExpression(node) {
        if (!isLogCall(node)) return;
        const message = messageOf(node.arguments);
        if (message !== undefined && !isStatic(message)) context.report({ node: message, messageId: 'notStatic' });
      },
    };
  },
};

/** @param {import('estree').SimpleCallExpression} node */
function isLogCall({ callee }) {
  if (callee.type !== 'MemberExpression' || callee.computed || !LEVELS.has(lastName(callee) ?? '')) return false;
  return LOGGER.test(lastName(callee.object) ?? '');
}

/**
 * pino's order is fields first, then the message; Nest's is the message first. Fields may come under a name
 * (`log.error(facts, 'copy failed')`); something that stands alone is taken for the message.
 *
 * @param {import('estree').CallExpression['arguments']} args
 */
function messageOf([first, second]) {
  if (first?.type === 'ObjectExpression') return second;
  const mayHoldFields = first?.type === 'Identifier' || first?.type === 'MemberExpression' || first?.type === 'CallExpression';
  return mayHoldFields && second !== undefined ? second : first;
}

/** @param {import('estree').Node} node */
function isStatic(node) {
  if (node.type === 'Literal') return typeof node.value === 'string';
  return node.type === 'TemplateLiteral' && node.expressions.length === 0;
}

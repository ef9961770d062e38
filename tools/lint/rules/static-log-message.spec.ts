import { ruleTester } from '../rule-tester.js';
import { staticLogMessage } from './static-log-message.mjs';

ruleTester().run('static-log-message', staticLogMessage, {
  valid: [
    "logger.info('promotion settled');",
    'logger.info(`promotion settled`);',
    "this.logger.warn({ promotion: id }, 'promotion waits');",
    "log.error(facts, 'copy failed');",
    "class Worker { #logger; run(error) { this.#logger.error(describe(error), 'copy failed'); } }",
    'console.log(`not a logger: ${name}`);',
    'Math.log(value);',
    'catalogue.error(code);',
  ],
  invalid: [
    { code: 'logger.info(`promotion ${id} settled`);', errors: [{ messageId: 'notStatic' }] },
    { code: "logger.error('failed: ' + reason);", errors: [{ messageId: 'notStatic' }] },
    { code: 'this.logger.warn(error.message);', errors: [{ messageId: 'notStatic' }] },
    { code: 'log.info({ id }, `settled ${id}`);', errors: [{ messageId: 'notStatic' }] },
    { code: 'dependencies.logger.error(facts, message);', errors: [{ messageId: 'notStatic' }] },
  ],
});

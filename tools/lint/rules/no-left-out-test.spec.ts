import { ruleTester } from '../rule-tester.js';
import { noLeftOutTest } from './no-left-out-test.mjs';

ruleTester().run('no-left-out-test', noLeftOutTest, {
  valid: ["it('works', () => {});", "it.each([1])('works with %i', () => {});", 'queue.skip(1);', 'rows.only();'],
  invalid: [
    { code: "it.only('works', () => {});", errors: [{ messageId: 'leftOut' }] },
    { code: "describe.skip('subject', () => {});", errors: [{ messageId: 'leftOut' }] },
    { code: "it.skip.each([1])('works', () => {});", errors: [{ messageId: 'leftOut' }] },
    { code: "test.concurrent.only('works', () => {});", errors: [{ messageId: 'leftOut' }] },
    { code: "it.todo('works');", errors: [{ messageId: 'leftOut' }] },
    { code: "xit('works', () => {});", errors: [{ messageId: 'leftOut' }] },
    { code: "fdescribe('subject', () => {});", errors: [{ messageId: 'leftOut' }] },
    { code: 'const maybe = isInstalled ? it : it.skip;', errors: [{ messageId: 'leftOut' }] },
  ],
});

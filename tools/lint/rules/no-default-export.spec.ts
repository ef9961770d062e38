import { ruleTester } from '../rule-tester.js';
import { noDefaultExport } from './no-default-export.mjs';

ruleTester().run('no-default-export', noDefaultExport, {
  valid: ['export const a = 1;', "export { a } from './a.js';", "import a from 'a';"],
  invalid: [
    { code: 'export default 1;', errors: [{ messageId: 'named' }] },
    { code: 'const a = 1; export { a as default };', errors: [{ messageId: 'named' }] },
  ],
});

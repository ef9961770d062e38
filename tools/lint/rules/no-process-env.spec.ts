import { ruleTester } from '../rule-tester.js';
import { noProcessEnv } from './no-process-env.mjs';

ruleTester().run('no-process-env', noProcessEnv, {
  valid: ['process.exit(1);', 'environment.env.HOME;', 'process.argv;', "import { argv } from 'node:process';"],
  invalid: [
    { code: 'const home = process.env.HOME;', errors: [{ messageId: 'useConfig' }] },
    { code: "const home = process['env'].HOME;", errors: [{ messageId: 'useConfig' }] },
    { code: 'read(process.env);', errors: [{ messageId: 'useConfig' }] },
    { code: "import { env } from 'node:process';", errors: [{ messageId: 'useConfig' }] },
    { code: "import { env as environment } from 'process';", errors: [{ messageId: 'useConfig' }] },
  ],
});

import { ruleTester } from '../rule-tester.js';
import { noNewUrl } from './no-new-url.mjs';

ruleTester().run('no-new-url', noNewUrl, {
  valid: ["new URL('../dist/main.js', import.meta.url);", 'new Registry(url);', 'URL.canParse(text);'],
  invalid: [
    { code: 'new URL(response.headers.location);', errors: [{ messageId: 'unchecked' }] },
    { code: 'new URL(location, base);', errors: [{ messageId: 'unchecked' }] },
    { code: 'new URL(location, import.meta.url);', errors: [{ messageId: 'unchecked' }] },
  ],
});

import { describe, it } from '@jest/globals';
import { RuleTester } from 'eslint';

/** ESLint's rule tester on Jest's functions. */
export function ruleTester(): RuleTester {
  RuleTester.describe = describe;
  RuleTester.it = it;
  return new RuleTester({ languageOptions: { ecmaVersion: 2024, sourceType: 'module' } });
}

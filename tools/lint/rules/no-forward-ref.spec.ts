import { ruleTester } from '../rule-tester.js';
import { noForwardRef } from './no-forward-ref.mjs';

ruleTester().run('no-forward-ref', noForwardRef, {
  valid: ["import { Module } from '@nestjs/common';", 'const forward = ref();'],
  invalid: [
    { code: "import { forwardRef } from '@nestjs/common';", errors: [{ messageId: 'cycle' }] },
    { code: "import { forwardRef as later } from '@nestjs/common';", errors: [{ messageId: 'cycle' }] },
    { code: 'nest.forwardRef(() => Topology);', errors: [{ messageId: 'cycle' }] },
  ],
});

import type { RetentionPolicy, RetentionRule } from '@waybill/topology';
import { RetentionError } from '../retention-error.js';

/**
 * Whoever validated the policy, a number that makes no sense is refused here too: a planner that
 * fell back to a default would delete by a number that nobody wrote.
 *
 * @throws RetentionError `policy-invalid`
 */
export function checkPolicy(policy: RetentionPolicy): void {
  const { protect, untagged, name } = policy;
  demandWhole(protect.minKeepPerRepository, `${name}: minKeepPerRepository`);
  demandWhole(protect.rollbackDepth, `${name}: rollbackDepth`);
  demandDuration(protect.promotedWithinMs, `${name}: promotedWithin`);
  if (untagged !== undefined) demandDuration(untagged.olderThanMs, `${name}: untagged.olderThan`);
  for (const rule of policy.rules) checkRule(rule, `${name}, rule ${rule.name}`);
}

function checkRule(rule: RetentionRule, place: string): void {
  if (rule.action === 'keep') {
    if (rule.mostRecent !== undefined) demandWhole(rule.mostRecent.count, `${place}: mostRecent.count`);
    if (rule.within !== undefined) demandDuration(rule.within.durationMs, `${place}: within`);
    return;
  }
  if (rule.olderThan !== undefined) demandDuration(rule.olderThan.durationMs, `${place}: olderThan`);
  if (rule.absentFrom !== undefined) demandDuration(rule.absentFrom.durationMs, `${place}: absentFrom`);
  if ((rule.action === 'archive') !== (rule.to !== undefined)) {
    throw invalid(`${place}: "to" names the registry to archive to, and stands with "archive" only`);
  }
}

function demandWhole(value: number, place: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw invalid(`${place} is ${value}, and must be a whole number from 0`);
}

function demandDuration(value: number, place: string): void {
  if (!Number.isFinite(value) || value < 0) throw invalid(`${place} is ${value}, and must be a number of milliseconds from 0`);
}

function invalid(message: string): RetentionError {
  return new RetentionError(message, { code: 'policy-invalid', operation: 'compile policy' });
}
